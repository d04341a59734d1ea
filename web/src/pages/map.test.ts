import { expect, it, vi } from "vitest";
import type { Service } from "../model";

vi.stubGlobal("location", { hash: "", search: "", pathname: "/" });
vi.stubGlobal("addEventListener", () => undefined);
vi.stubGlobal("setInterval", () => 0);
vi.stubGlobal("localStorage", { getItem: () => null });
const { columns, reach } = await import("./map");

const fleet = (needs: Record<string, string[]>) =>
  new Map(Object.entries(needs).map(([id, depends_on]) => [id, { id, depends_on } as unknown as Service]));

it("reaches everything that stands on a service, near or far", () => {
  const all = fleet({ web: ["api"], api: ["data"], data: [], other: [] });
  expect([...reach("data", all)].sort()).toEqual(["api", "web"]);
  expect([...reach("web", all)]).toEqual([]);
});

it("puts each one column further than whoever needs it, and survives a circle", () => {
  expect([...columns(fleet({ web: ["api", "data"], api: ["data"], data: [] }))]).toEqual([["web", 0], ["api", 1], ["data", 2]]);
  const circle = fleet({ a: ["b"], b: ["a"] });
  expect(columns(circle).size).toBe(2);
  expect([...reach("a", circle)]).toEqual(["b"]);
});
