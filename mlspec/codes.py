"""What each number of a fault means: one table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

CODES: Mapping[str, str] = MappingProxyType(
    {
        # MS01xx: text, presets, overrides.
        "MS0101": "A file cannot be read. Check its path and rights.",
        "MS0102": "A file is not UTF-8 text. Save it as UTF-8; a byte order mark is legal.",
        "MS0103": "A file is not YAML. Nothing behind that place can be read, so other faults may follow.",
        "MS0104": "A key stands twice in one mapping. YAML parsers keep one of the two without a word; "
        "mlspec asks which.",
        "MS0105": "Anchors (&name), aliases (*name) and merge keys (<<) are not part of the language. "
        "A preset serves several specs, and ${path.to.key} repeats one value.",
        "MS0106": "Tags (!!binary, !name) are not part of the language: the schema says what a value is. "
        "Put text into quotes.",
        "MS0107": "A file holds more than one YAML document. Lay files on top of each other with -c instead.",
        "MS0108": "A file is larger or deeper than any spec: 1,000,000 characters, 50,000 keys and values, "
        "32 levels.",
        "MS0109": "Keys must be text, and a file must be a mapping.",
        "MS0110": "A number is infinite, not a number, or too large. No key takes such a number.",
        "MS0111": "An override is not in Hydra's grammar: key=value, group=preset, ~key. "
        "Values with blanks, commas, colons or = stand in quotes. Sweeps (1,2) ask for several runs; a "
        "list is [1,2].",
        "MS0112": "`defaults:` is a list of presets: `- hardware: cpu`, `- _self_` last. "
        "Names are small letters, digits, '_' and '/'.",
        "MS0113": "A preset, or a group of presets, does not exist. Presets lie in the workspace's conf/, "
        "then in mlspec's own: conf/<group>/<preset>.yaml.",
        "MS0114": "A preset includes itself, perhaps through others.",
        "MS0115": "A reserved key stands where it may not: 'hydra' is not part of the language, and "
        "only a spec or a preset "
        "holds 'defaults'.",
        "MS0116": "${...} reaches whole values only: ${path.to.key}, where a plain value (or a list of "
        "plain values) "
        "stands that holds no reference itself. Other resolvers than oc.env are refused. \\${ writes a "
        "plain ${.",
        "MS0117": "A reference points at a key that nothing sets. Defaults of the schema cannot be "
        "referred to.",
        "MS0118": "${oc.env:NAME} is for keys that hold secrets, such as the token of a rest deployment. "
        "Set any other value from the environment with an override: key=$NAME in the shell.",
        "MS0119": "An override takes away or counts into something that is not there, or says null "
        "over a section: "
        "~key takes a section away.",
        "MS0120": "More than 100 faults: the first hundred are told. Mend them and look again.",
        "MS0121": "A secret is written out, in the spec, a preset, an overlay or an override. It would lie "
        "in version control and in the shell's history. Write ${oc.env:NAME}: the variable is looked up only "
        "where the secret is used, and stays unresolved in every file. No reference points at a secret.",
        # MS02xx: the schema.
        "MS0201": "A key is not part of the language. Keys are checked strictly, so that a slip of the "
        "pen changes no model. "
        "Notes of your own start with x-.",
        "MS0202": "A key of the language stands at a level where it has no meaning.",
        "MS0203": "A key is missing that has no default, or stands there without a value.",
        "MS0204": "A value is of the wrong type, or outside its limits.",
        "MS0205": "No plug-in of this slot has this name. `mlspec plugins` lists them.",
        "MS0206": "A plug-in is chosen by `kind:`, and none is named.",
        "MS0207": "The language has a word for it, and this version does not do it yet.",
        "MS0208": "A key has another name today. `mlspec migrate` shows what it would rename, "
        "`mlspec migrate --write` does it; comments and order stay.",
        # MS03xx: meaning.
        "MS0301": "The spec names a column that the data lacks.",
        "MS0302": "Each column of the data must be named: as a feature, target, key, weight, "
        "event_time, or in data.ignore. "
        "So a new column never becomes a feature, or vanishes, without a word. `features: auto` takes "
        "them all.",
        "MS0303": "A column has two roles that exclude each other: target, feature, key, weight, ignored.",
        "MS0304": "A key is set that the target's kind cannot use, or contradicts it.",
        "MS0305": "A metric cannot be computed for the target's kind, or is named twice.",
        "MS0306": "A gate looks at a metric that is not among evaluation.metrics.",
        "MS0307": "Something is chosen on the val split, and data.split leaves it empty.",
        "MS0308": "A key of training or hardware is set that the chosen model does not obey. Left in place "
        "it would only seem to work.",
        "MS0309": "An export or a deployment is named that does not exist.",
        "MS0310": "More devices or machines are asked for than the model, the strategy, the launcher or a "
        "batch can use.",
        "MS0311": "A column's name is empty, stands twice, or is a name that answers or mlspec itself need.",
        "MS0312": "The data cannot be reached, or has no columns that can be read.",
        "MS0313": "A database or a URL is not within reach: its driver, a variable or its server. Nothing in "
        "the spec is wrong, so this ends with exit 3. `mlspec validate --no-data` does not ask it.",
        "MS0314": "Parts of hardware contradict each other: a launcher has nothing to start, or does not "
        "know on what; an accelerator, a strategy and a precision do not go together.",
        "MS0321": "A gate is held against something that is not there, looks at slices that "
        "evaluation.slices does not tell, or lets a measure get better.",
        "MS0331": "A run writes the contract where it is missing, so it is a YAML file inside the workspace, "
        "links followed, and outside of the folders that belong to git, DVC and mlspec.",
        "MS0341": "data.memory is what all processes of a run hold together, libraries included, and the run "
        "cannot work in so little: of these rows, or of any.",
        "MS0351": "A sweep searches keys of model and training, each once: such a key is named as on the "
        "command line. Data is prepared once for all trials, and hardware changes no result.",
        "MS0352": "A value of a sweep is not one that its key takes, or low, high, log, step and choices "
        "contradict each other. Whole bounds search whole numbers where the key takes only those.",
        "MS0353": "Trials are ranked by one of evaluation.metrics, and stopped early only where training has "
        "epochs.",
        "MS0371": "A drift method does not suit its column: the model does not take it, the method is for "
        "columns of another kind, or it needs a threshold or values that nobody keeps. A test keeps to the "
        "error rate of monitoring.drift.false_alarms; a raw distance has none, so it is told from a "
        "threshold on.",
        "MS0372": "Rows cannot be watched apart by a column: the model does not take it, it holds no text "
        "(numbers and times have no few values), it stands twice, or nothing is deployed.",
        "MS0381": "A server shall compute (data.source.compute: database), and would make something else of "
        "a condition than is made of it here (upper and lower case, rounding to decimal places), or cannot "
        "make the sums that a training by normal equations needs.",
        "MS0391": "An export of the kind sql is a query that a database answers. It is written of models and "
        "features whose nodes SQL has words for, and no deployment packs it.",
    }
)
"""Each code and what it means, for `mlspec why CODE`."""
