import { expect, it } from "vitest";
import { columns, reach, rows } from "./graph";
import type { Service } from "./model";

const fleet = (needs: Record<string, string[]>) =>
  new Map(Object.entries(needs).map(([id, depends_on]) => [id, { id, depends_on } as unknown as Service]));

it("reaches everything that stands on a service, near or far, and says through whom", () => {
  const all = fleet({ web: ["api"], api: ["data"], data: [], other: [] });
  expect([...reach("data", all)]).toEqual([["api", "data"], ["web", "api"]]);
  expect([...reach("web", all)]).toEqual([]);
});

it("puts each one column further than whoever needs it, and survives a circle", () => {
  expect([...columns(fleet({ web: ["api", "data"], api: ["data"], data: [] }))]).toEqual([["web", 0], ["api", 1], ["data", 2]]);
  const circle = fleet({ a: ["b"], b: ["a"] });
  expect(columns(circle).size).toBe(2);
  expect([...reach("a", circle).keys()]).toEqual(["b"]);
});

it("orders the columns so that lines do not cross where they need not", () => {
  const crossing = fleet({ a: ["y"], b: ["x"], x: [], y: [] });
  const [left, right] = rows(crossing);
  expect(left?.indexOf("a") === 0).toBe(right?.indexOf("y") === 0);
});
