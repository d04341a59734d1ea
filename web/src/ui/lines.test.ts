import { expect, it } from "vitest";
import { Lines, MOST_LINES } from "./lines";

const line = (text: string) => ({ at: "", kind: "stdout", text });

it("finds what it holds and what comes", () => {
  const lines = new Lines();
  lines.add([line("one"), line("\x1b[31mTwo\x1b[0m"), line("three")]);
  lines.search("t");
  expect(lines.hits).toEqual([1, 2]);
  lines.add([line("four"), line("twelve")]);
  expect(lines.hits).toEqual([1, 2, 4]);
  lines.search("");
  expect(lines.hits).toEqual([]);
});

it("keeps the newest, counts what it drops, and forgets hits in it", () => {
  const lines = new Lines();
  lines.search("x");
  lines.add([line("x first")]);
  lines.add(Array.from({ length: MOST_LINES }, () => line("y")));
  lines.add([line("x last")]);
  expect(lines.kept).toHaveLength(MOST_LINES);
  expect(lines.dropped).toBe(2);
  expect(lines.hits).toEqual([lines.end - 1]);
});
