// node conformance.mjs FOLDER: FOLDER holds model.onnx, contract.json and conformance.json, as an export writes them.
// Prints one JSON line; exit 1 when an answer is off by more than the set allows, or a row passes that must not.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { BadRows, toFeeds } from "./door.mjs";

const folder = process.argv[2];
if (!folder) {
  console.error("usage: node conformance.mjs FOLDER");
  process.exit(2);
}
const read = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const [contract, set] = [read("contract.json"), read("conformance.json")];
const session = await InferenceSession.create(join(folder, "model.onnx"), { intraOpNumThreads: 1, interOpNumThreads: 1 });
const faults = [];
let largest = 0;
let equal = true;

function compare(output, found, from) {
  const expected = set.answers[output].flat();
  const width = set.rows.length ? expected.length / set.rows.length : 0;
  found.forEach((value, place) => {
    const wanted = expected[from * width + place];
    if (typeof value === "string") {
      if (value !== wanted) faults.push(`row ${from + Math.floor(place / width)}: ${output} '${value}' instead of '${wanted}'`);
      return;
    }
    const apart = Math.abs(value - wanted);
    equal &&= Object.is(value, wanted);
    largest = Math.max(largest, apart);
    if (!(apart <= set.tolerance.atol + set.tolerance.rtol * Math.abs(wanted))) {
      faults.push(`row ${from + Math.floor(place / width)}: ${output} ${value} instead of ${wanted}`);
    }
  });
}

async function answer(rows, from) {
  const outputs = await session.run(toFeeds(Tensor, contract, rows));
  for (const { name } of contract.outputs) compare(name, Array.from(outputs[name].data), from);
}

// All rows at once, no row, and each row alone: the answers must not depend on the company a row is in.
await answer(set.rows, 0);
await session.run(toFeeds(Tensor, contract, []));
for (const [place, row] of set.rows.entries()) await answer([row], place);

for (const { column, row } of set.refused) {
  try {
    toFeeds(Tensor, contract, [row]);
    faults.push(`passes and must not: ${column} = ${JSON.stringify(row[column])}`);
  } catch (error) {
    if (!(error instanceof BadRows)) throw error;
    if (!error.values.every((value) => value.column === column)) faults.push(`blames another column than '${column}': ${error.message}`);
  }
}
const report = { rows: set.rows.length, refused: set.refused.length, bit_equal: equal, largest, faults: faults.slice(0, 20) };
console.log(JSON.stringify(report));
process.exit(faults.length ? 1 : 0);
