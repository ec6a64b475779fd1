"""Hand-made faults: each changes the full spec a little, as a user might."""

from __future__ import annotations

CASES: dict[str, list[tuple[str, str]]] = {
    "a misspelt key": [("  epochs: 5", "  epohcs: 5")],
    "a key at the wrong level": [("seed: 7", "seed: 7\nbatch_size: 64")],
    "a key of another kind": [("dropout: 0.1}", "dropout: 0.1, max_depth: 3}")],
    "an option of a sibling kind": [("lr: 1e-3, weight_decay: 0.01", "lr: 1e-3, momentum: 0.9")],
    "british spelling": [("  optimizer: {", "  optimiser: {")],
    "a misspelt kind": [("kind: csv", "kind: cvs")],
    "a misspelt bare kind": [("age: number", "age: nmuber")],
    "a misspelt word": [("impute: median", "impute: medain")],
    "no kind": [("{kind: not_null, ", "{")],
    "a misspelt 'kind'": [("{kind: random, train", "{knd: random, train")],
    "text for a number": [("epochs: 5", "epochs: five")],
    "a quoted number": [("epochs: 5", 'epochs: "5"')],
    "a fraction for a whole number": [("epochs: 5", "epochs: 5.5")],
    "true for a number": [("epochs: 5", "epochs: true")],
    "beyond a limit": [("dropout: 0.1", "dropout: 1.1")],
    "a mapping for a list": [("key: [person_id]", "key: {a: 1}")],
    "one word for a list": [("key: [person_id]", "key: person_id")],
    "a number for a name": [("name: adult_income", "name: 2024")],
    "an illegal name": [("name: adult_income", "name: Adult Income")],
    "an illegal export's name": [
        ("  main: {kind: onnx", "  Main-1: {kind: onnx"),
        ("export: main", "export: Main-1"),
    ],
    "an empty required key": [("path: adult.csv", "path: ")],
    "a missing key": [("column: income\n    kind: binary", "kind: binary")],
    "a missing section": [("model: {kind: mlp, hidden: [128, 128], dropout: 0.1}\n", "")],
    "a duplicate key": [("  epochs: 5", "  epochs: 5\n  epochs: 6")],
    "an anchor and an alias": [("[128, 128]", "&h [128, 128]"), ("clip: [1, 99]", "clip: *h")],
    "a tag": [('">50K"', '!!str ">50K"')],
    "a merge key": [("  epochs: 5", "  <<: {epochs: 5}")],
    "a second document": [("validation:\n", "---\nvalidation:\n")],
    "a tab": [("  epochs: 5", "\tepochs: 5")],
    "an open bracket": [("key: [person_id]", "key: [person_id")],
    "an endless number": [("dropout: 0.1", "dropout: .inf")],
    "a contract outside of the workspace": [("contracts/adult.yaml", "../../adult.yaml")],
    "a contract among git's files": [("contracts/adult.yaml", ".git/hooks/adult.yaml")],
    "a contract that is no YAML file": [("contracts/adult.yaml", "plugins/rule/adult.py")],
    "a reference to nothing": [("epochs: 5", "epochs: ${training.epohcs}")],
    "a reference inside text": [("path: adult.csv", "path: ${name}.csv")],
    "the environment": [("path: adult.csv", "path: '${oc.env:DATA}'")],
    "a secret written out": [("port: 3000}", "token: hunter22}")],
    "a secret at the wrong level": [("seed: 7", "seed: 7\ntoken: hunter22")],
    "a reference to a secret": [
        ("port: 3000}", "token: '${oc.env:TOKEN}'}"),
        ("max_rejects: 0.001", "max_rejects: '${deployments.online.token}'"),
    ],
    "a size without a unit": [("port: 3000}", "max_body: '5'}")],
    "a size beyond a limit": [("port: 3000}", "max_body: 2GB}")],
    "an unknown preset": [("hardware: cpu", "hardware: gup")],
    "_self_ first": [("  - hardware: cpu\n  - _self_", "  - _self_\n  - hardware: cpu")],
    "a hydra section": [("seed: 7", "seed: 7\nhydra: {run: {dir: .}}")],
    "a launcher with nothing to start": [("precision: fp32", "launcher: torchrun")],
    "a launcher that does not know on what": [("precision: fp32", "launcher: {kind: slurm, gpu: a100}")],
    "a launcher of another accelerator": [
        ("accelerator: auto", "accelerator: cpu"),
        ("precision: fp32", "launcher: {kind: slurm, gpu: a100}"),
    ],
    "layers that devices cannot cut": [
        ("precision: fp32", "devices: 6\n  strategy: tensor_parallel"),
        ("hidden: [128, 128]", "hidden: [120, 128, 64]"),
    ],
    "devices that are no whole number of sets": [
        ("precision: fp32", "devices: 5\n  strategy: {kind: tensor_parallel, tensor: 2}"),
    ],
    "sets of more devices than there are": [
        ("precision: fp32", "devices: 4\n  strategy: {kind: tensor_parallel, tensor: 8}"),
    ],
    "a model without layers to cut": [
        ("precision: fp32", "devices: 2\n  strategy: tensor_parallel"),
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "linear"),
    ],
    "hardware that a model has no part in": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "forest"),
        ("accelerator: auto", "accelerator: cuda"),
        ("precision: fp32", "precision: bf16\n  strategy: {kind: ddp}"),
    ],
    "a launcher of a model that is fitted": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "tree"),
        ("accelerator: auto", "accelerator: cpu"),
        ("precision: fp32", "launcher: ray"),
    ],
    "an option that would be a command": [("precision: fp32", "launcher: {kind: slurm, partition: 'a;b'}")],
    "not built: a key": [("opset: 20, parity", "opset: 20, quantize: weights_int8, parity")],
    "not built: a kind": [("citizen: binary", "citizen: text")],
    "a number format that nobody has": [("precision: fp32", "precision: fp8")],
    "an accelerator that the strategy is not for": [("accelerator: auto", "accelerator: tpu")],
    "a strategy that the accelerator is not for": [("precision: fp32", "strategy: xla")],
    "a number format that the strategy has not": [
        ("accelerator: auto", "accelerator: tpu"),
        ("precision: fp32", "precision: fp16\n  strategy: xla"),
    ],
    "weights that are not parted": [
        ("precision: fp32", "strategy: {kind: deepspeed, stage: 2, offload_parameters: cpu}")
    ],
    "memory that one device does not give away": [
        ("precision: fp32", "strategy: {kind: deepspeed, offload_optimizer: cpu}")
    ],
    "a stage that deepspeed has not": [("precision: fp32", "strategy: {kind: deepspeed, stage: 4}")],
    "machines that the strategy cannot join": [
        ("accelerator: auto", "accelerator: tpu"),
        ("precision: fp32", "nodes: 2\n  strategy: xla\n  launcher: torchrun"),
    ],
    "a batch that devices of one process do not divide": [
        ("accelerator: auto", "accelerator: tpu"),
        ("precision: fp32", "devices: 3\n  strategy: xla"),
    ],
    "a batch size that is no number": [("batch_size: 256", "batch_size: automatic")],
    "a learning rate that is no number": [("lr: 1e-3", "lr: fast")],
    "a value that a sweep would find anew": [
        ("batch_size: 256", "batch_size: auto"),
        (
            "seed: 7\n",
            "seed: 7\nsweep: {metric: auroc, parameters: {training.optimizer.lr: {choices: [auto, 0.1]}}}\n",
        ),
    ],
    "a batch size that no TPU tells": [
        ("accelerator: auto", "accelerator: tpu"),
        ("precision: fp32", "strategy: xla"),
        ("batch_size: 256", "batch_size: auto"),
    ],
    "memory in which nothing works": [("max_rejects: 0.001", "memory: 10MB")],
    "an unknown feature column": [("    age: number", "    agee: number")],
    "an unnamed column": [("    citizen: binary\n", "")],
    "several unnamed columns": [("    citizen: binary\n", ""), ("  ignore: [fnlwgt]\n", "")],
    "an unknown slice": [
        ("slices: [sex]", "slices: [gender]"),
        ("ignore: [fnlwgt]", "ignore: [fnlwgt, sex]"),
    ],
    "an unknown column in a rule": [("columns: [age]", "columns: [agge]")],
    "an unknown column beside a target that is wrong": [
        ("columns: [age]", "columns: [agge]"),
        ("threshold: 0.5", "threshold: max_f2"),
    ],
    "an unknown column beside a target of no kind": [
        ("columns: [age]", "columns: [agge]"),
        ("    kind: binary\n", "    kind: binry\n"),
    ],
    "two roles": [("ignore: [fnlwgt]", "ignore: [fnlwgt, age]")],
    "an ignored slice": [("ignore: [fnlwgt]", "ignore: [fnlwgt, sex]")],
    "the target as a feature": [("    age: number", "    age: number\n    income: category")],
    "a threshold without two classes": [("kind: binary\n    positive", "kind: category\n    positive")],
    "metrics of another target": [("[accuracy, auroc, log_loss]", "[accuracy, auroc, rmse]")],
    "a metric twice": [("[accuracy, auroc, log_loss]", "[accuracy, auroc, auroc]")],
    "a gate on what is not measured": [("[accuracy, auroc, log_loss]", "[accuracy, log_loss]")],
    "a misspelt metric in a gate": [("{metric: auroc, at_least", "{metric: aurok, at_least")],
    "a gate against nobody": [("against: baseline", "against: basline")],
    "leave to get better": [("may_drop: 0.005", "may_rise: 0.005")],
    "a change without another value": [("against: baseline, may_drop", "may_drop")],
    "another value without a change": [(", may_drop: 0.005}", "}")],
    "a gate on slices that are not told": [("  slices: [sex]\n", "")],
    "a gate on an unknown slice": [("slices: all", "slices: [sxe, sex=f]")],
    "early stopping without val": [("train: 0.7, val: 0.1, test: 0.2", "train: 0.8, val: 0, test: 0.2")],
    "training keys that trees do not use": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: gradient_boosting}")
    ],
    "equations of classes, and keys of epochs": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: normal_equations}")
    ],
    "a learning rate under another library's name": [
        ("batch_size: 256", "batch_size: 256\n  learning_rate: 0.1"),
        ("seed: 7", "seed: 7\nlearning_rate: 0.1"),
        ("lr: 1e-3,", "learning_rate: 1e-3,"),
    ],
    "logistic regression of all rows, without a ridge": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: lbfgs}")
    ],
    "logistic regression of all rows, and keys of epochs": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: lbfgs, ridge: 1}")
    ],
    "an unknown solver": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: normal}")
    ],
    "a ridge without equations": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, ridge: 0.1}")
    ],
    "a loss of another kind of target": [
        ("batch_size: 256", "batch_size: 256\n  loss: {kind: huber, delta: 0.5}")
    ],
    "an unknown loss": [("batch_size: 256", "batch_size: 256\n  loss: fokal")],
    "a loss that trees cannot make small": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: gradient_boosting}"),
        (
            "  epochs: 5\n  batch_size: 256\n  optimizer: {kind: adamw, lr: 1e-3, weight_decay: 0.01}\n",
            "  loss: focal\n",
        ),
        ("  schedule: {kind: one_cycle}\n  early_stopping: {metric: auroc, patience: 3}\n", ""),
        ("  checkpoint: {every: 5m}\n", ""),
    ],
    "a calibration without rows to look at": [
        ("train: 0.7, val: 0.1, test: 0.2", "train: 0.8, val: 0, test: 0.2"),
        ("early_stopping: {metric: auroc, patience: 3}", "calibration: isotonic"),
    ],
    "a calibration that there is not": [("batch_size: 256", "batch_size: 256\n  calibration: platt")],
    "more parts than rows": [("batch_size: 256", "batch_size: 256\n  accumulate: 300")],
    "blocks that a model has not": [("batch_size: 256", "batch_size: 256\n  activation_checkpointing: true")],
    "a profile that is no yes or no": [("batch_size: 256", "batch_size: 256\n  profile: trace.json")],
    "a profile with a slip": [("batch_size: 256", "batch_size: 256\n  profil: true")],
    "a profile of trees": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: forest}"),
        (
            "  epochs: 5\n  batch_size: 256\n  optimizer: {kind: adamw, lr: 1e-3, weight_decay: 0.01}\n",
            "  profile: true\n",
        ),
        ("  schedule: {kind: one_cycle}\n  early_stopping: {metric: auroc, patience: 3}\n", ""),
        ("  checkpoint: {every: 5m}\n", ""),
    ],
    "classes balanced twice": [("batch_size: 256", "batch_size: 256\n  sampling: balanced")],
    "too many devices": [("accelerator: auto", "accelerator: auto\n  devices: 4")],
    "a gate of one export that names another": [("{at_least: 0.6", "{at_least: 0.6, export: small")],
    "a query of a model that has none": [
        ("exports:\n", "exports:\n  there: {kind: sql, table: people}\n"),
    ],
    "a deployment of a query": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear}"),
        ("  main: {kind: onnx", "  there: {kind: sql, table: people}\n  main: {kind: onnx"),
        ("export: main", "export: there"),
    ],
    "a query of no table": [("exports:\n", "exports:\n  there: {kind: sql}\n")],
    "a query in words of another database": [
        ("exports:\n", "exports:\n  there: {kind: sql, table: people, dialect: postgres}\n")
    ],
    "a query with a slip": [("exports:\n", "exports:\n  there: {kind: sql, tabel: people}\n")],
    "an unknown export": [("export: main", "export: mian")],
    "an unknown deployment": [("of: online", "of: onlin")],
    "a drift method of a column that is not taken": [("hours per week: kolm", "hours per weeks: kolm")],
    "a drift method of another kind of column": [("week: kolmogorov_smirnov", "week: chi_square")],
    "a drift method of a time": [("hours per week: kolmogorov", "hired_at: kolmogorov")],
    "a distance of another kind of column": [("{method: population_stability_index", "{method: wasserstein")],
    "an unknown drift method": [("week: kolmogorov_smirnov", "week: kolmogorov_smirnow")],
    "a segment by a column that is misspelt": [("segments: [workclass]", "segments: [workclas]")],
    "a segment by a number, and one twice": [
        ("segments: [workclass]", "segments: [workclass, hours per week, workclass]")
    ],
    "a distance without a threshold": [("week: kolmogorov_smirnov", "week: wasserstein")],
    "a distance with a threshold of nothing": [("threshold: 0.2", "threshold: 0")],
    "a test that needs values": [("week: kolmogorov_smirnov", "week: mann_whitney")],
    "no data file": [("path: adult.csv", "path: aduld.csv")],
    "a gate without a bound": [("{metric: auroc, at_least: 0.90}", "{metric: auroc}")],
    "shares that do not sum to one": [("test: 0.2, stratify", "test: 0.3, stratify")],
    "a file that shall compute": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, path: adult.db, table: t, compute: database}",
        )
    ],
    "sums of a database, and trials that need rows": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, url: 'postgresql://db/shop', table: t, compute: database}",
        ),
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: linear, solver: normal_equations}"),
        (
            "seed: 7\n",
            "seed: 7\nsweep: {metric: auroc, parameters: {model.solver: {choices: [gradient, lbfgs]}}}\n",
        ),
        # Or the server would be asked for its columns.
        ("split: {kind: random", "split: {kind: rndom"),
    ],
    "a misspelt place to compute": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, url: 'postgresql://db/shop', table: t, compute: databse}",
        )
    ],
    "another server that shall compute": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, url: 'trino://reader@db:8080/lake/sales', table: t, compute: database}",
        )
    ],
    "a query in the SQL of another server": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, url: 'postgresql://db/shop', query: 'SELECT `a` FROM t'}",
        )
    ],
    "a catalog of a file": [
        (
            '{kind: csv, path: adult.csv, delimiter: ",", encoding: utf-8}',
            "{kind: sql, path: adult.db, table: a.b.c}",
        )
    ],
    "computing where nothing can": [("{kind: csv, path", "{kind: csv, compute: database, path")],
    "no such time zone": [("parts: [hour, weekday, month]", "parts: [hour], timezone: Mars/Olympus")],
    "a kind at the wrong level": [
        ("{kind: not_null, columns: [age]}", "{columns: [age]}"),
        ("seed: 7", "seed: 7\nkind: not_null"),
    ],
    "a key gone astray": [("column: age, low", "low"), ("seed: 7", "seed: 7\ncolumn: age")],
    "an option without its kind": [
        ("{kind: adamw, lr: 1e-3, weight_decay: 0.01}", "{lr: 1e-3, momentum: 0.9}")
    ],
    "a duration without a unit": [("every: 5m", "every: '5'")],
    "a dotted Python path": [("{kind: mlp, hidden", "{_target_: os.system, kind: mlp, hidden")],
    "a renamed key": [
        ("{kind: mlp, hidden: [128, 128], dropout: 0.1}", "{kind: gradient_boosting, column_share: 0.5}"),
    ],
    "a short column's slip": [("    age: number", "    agi: number")],
    "many at once": [
        ("seed: 7", 'seed: "7"'),
        ("kind: csv", "kind: cvs"),
        ("    age: number", "    age: nubmer"),
        ("  epochs: 5", "  epohcs: 5"),
        ("lr: 1e-3", "lr: -1"),
        ("of: online", "of: nowhere"),
    ],
}
"""Name of the fault, and the replacements that make it."""
