// The door in JavaScript: from JSON rows to the tensors that an exported file takes. Nothing is guessed here.
// It goes by contract.json alone; conformance.mjs shows that it answers as the Python door does.

export const NULL = "\ufdd0";
const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?([Zz]|[+-]\d{2}:\d{2})?)?$/;
const DAY = 86_400_000;

export class BadRows extends Error {
  /** @param {{row: number, column: string, reason: string}[]} values every refused value */
  constructor(values) {
    super(`row ${values[0].row}, column '${values[0].column}': ${values[0].reason}`);
    this.values = values;
  }
}

/** Return one tensor a column for `InferenceSession.run`. `rows` are plain objects with exactly the contract's columns. */
export function toFeeds(Tensor, contract, rows) {
  const bad = [];
  const known = new Set(contract.inputs.map((input) => input.name));
  rows.forEach((row, index) => {
    for (const column of known) {
      if (!Object.hasOwn(row, column)) bad.push({ row: index, column, reason: "the column is missing" });
    }
    for (const column of Object.keys(row)) {
      if (!known.has(column)) bad.push({ row: index, column, reason: "the model knows no such column" });
    }
  });
  const feeds = {};
  for (const input of contract.inputs) {
    const text = input.tensor === "string";
    const values = text ? new Array(rows.length) : new Float64Array(rows.length);
    rows.forEach((row, index) => {
      const value = Object.hasOwn(row, input.name) ? row[input.name] : null;
      values[index] = text ? NULL : NaN;
      if (value === null) return;
      const reason = READERS[input.type](value, input, (read) => (values[index] = read));
      if (reason) bad.push({ row: index, column: input.name, reason });
    });
    feeds[input.name] = new Tensor(text ? "string" : "float64", values, [rows.length]);
  }
  if (bad.length) throw new BadRows(bad);
  return feeds;
}

const READERS = {
  number(value, input, keep) {
    if (typeof value !== "number") return "a number is expected";
    if (!Number.isFinite(value)) return "infinity and NaN are no numbers";
    keep(value);
  },
  integer(value, input, keep) {
    if (typeof value !== "number" || !Number.isInteger(value)) return "an integer is expected";
    if (Math.abs(value) > 2 ** 53) return "an integer beyond 2^53 loses digits as a number";
    keep(Object.is(value, -0) ? "0" : BigInt(value).toString());
  },
  boolean(value, input, keep) {
    if (typeof value !== "boolean") return "true or false is expected";
    keep(String(value));
  },
  string(value, input, keep) {
    if (typeof value !== "string") return "text is expected";
    if (value.includes("\0")) return "text with the character NUL";
    if (value === NULL) return "the character U+FDD0 stands for null";
    if (!value.isWellFormed()) return "text with a lone surrogate";
    keep(value);
  },
  datetime(value, input, keep) {
    if (typeof value !== "string") return "a time such as 2030-01-31T12:00:00Z is expected";
    const match = TIME.exec(value);
    if (!match) return "a time is written such as 2030-01-31T12:00:00Z (RFC 3339)";
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
    const date = new Date(0);
    date.setUTCFullYear(year, month - 1, day);
    date.setUTCHours(hour, minute, second, Number((match[7] ?? "").padEnd(3, "0").slice(0, 3)));
    const said = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes()];
    if (year < 1 || [year, month, day, hour, minute].some((part, place) => part !== said[place])) return "there is no such time";
    if (second > 59) return "there is no such time";
    const local = date.getTime();
    if (match[8] === undefined) {
      if (input.timezone === null) return "a time without a zone";
      keep(toUtc(local, input.timezone));
    } else {
      const shift = offsetOf(match[8]);
      if (shift === undefined) return "there is no such time";
      keep(local - shift);
    }
  },
};

function offsetOf(text) {
  if (text.toUpperCase() === "Z") return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(4, 6))];
  if (hours > 23 || minutes > 59) return undefined;
  return (text[0] === "-" ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

/** A time that the clock shows twice is its second pass; one that it skips is read with the offset before the change. */
function toUtc(local, zone) {
  const after = offsetAt(local + DAY, zone);
  const instant = local - after;
  return offsetAt(instant, zone) === after ? instant : local - offsetAt(local - DAY, zone);
}

const CLOCKS = new Map();

function offsetAt(instant, zone) {
  if (!CLOCKS.has(zone)) {
    const parts = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" };
    CLOCKS.set(zone, new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", calendar: "iso8601", ...parts }));
  }
  const whole = Math.floor(instant / 1000) * 1000;
  const told = Object.fromEntries(CLOCKS.get(zone).formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(told.year, told.month - 1, told.day, told.hour, told.minute, told.second) - whole;
}
