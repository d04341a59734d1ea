import { expect, it } from "vitest";
import { pieces, plain } from "./ansi";
import { partOf } from "./windowed";

it("turns colours into classes and back to nothing", () => {
  expect(pieces("a\x1b[1;31mred\x1b[0mb\x1b[92mc\x1b[39md\x1b[2me")).toEqual([
    { text: "a", style: "" },
    { text: "red", style: "c-red c-bold" },
    { text: "b", style: "" },
    { text: "c", style: "c-green" },
    { text: "d", style: "" },
    { text: "e", style: "c-dim" },
  ]);
  expect(plain("\x1b[31mred\x1b[0m")).toBe("red");
});

it("leaves markup a text", () => {
  expect(pieces("<img src=x>")).toEqual([{ text: "<img src=x>", style: "" }]);
});

it("shows of a long list what is near the screen", () => {
  const heights = Array.from({ length: 100 }, () => 10);
  expect(partOf(heights, 100, 200)).toEqual({ from: 9, to: 20, above: 90, below: 800 });
  expect(partOf(heights, -50, 20)).toEqual({ from: 0, to: 2, above: 0, below: 980 });
  expect(partOf([], 0, 10)).toEqual({ from: 0, to: 0, above: 0, below: 0 });
});
