import { describe, expect, it } from "vitest";
import type { Service } from "./model";
import { T } from "./text";
import { bytes, causeOf, figure, percent, reason, sentence, since, span, title, trouble, worstFirst } from "./words";

/** Figures and units hold together with a space that does not break. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

const NOW = Date.parse("2026-01-01T03:18:00Z");

const service = (id: string, more: Partial<Service> = {}): Service => ({
  id, name: id, status: "Healthy", last_check: null, uptime_seconds: 0, response_time_ms: 5, error_message: null,
  service_type: "Api", critical: false, since: "2026-01-01T03:12:00Z", is_down: false, reason: null, group: null,
  labels: {}, depends_on: [], interval_seconds: 30, expected_response_time_ms: 500, docker_container: null, is_discovered: false, ...more,
});

const fleet = (...all: Service[]) => new Map(all.map((one) => [one.id, one]));

describe("the sentence", () => {
  it("names the cause first, then whom it takes down", () => {
    const engine = service("engine", { status: "Unhealthy", is_down: true, error_message: "Connection refused" });
    const execution = service("execution", { status: "Unhealthy", critical: true, depends_on: ["engine"] });
    const [head, rest] = sentence(fleet(execution, engine, service("web")), null, NOW);
    expect(plain(head)).toBe("engine is down since 03:12 (6 min): connection refused.");
    expect(rest).toBe("execution fails because it needs engine.");
  });

  it("speaks of the past once the connection is lost, and says what was counted then", () => {
    const engine = service("engine", { status: "Unhealthy", error_message: "refused" });
    const [head, rest] = sentence(fleet(engine, service("web")), NOW, NOW + 60_000);
    expect(head).toBe("At 03:18:00, engine was down. What is true now is not known.");
    expect(rest).toContain("1 unhealthy, 0 degraded, 0 unknown, 1 healthy");
    expect(sentence(fleet(service("web")), NOW, NOW)[0]).toContain("nothing was down");
  });

  it("says what to do where nothing is configured", () => {
    expect(sentence(fleet(), null, NOW)).toEqual([T.sentence.empty, T.sentence.emptyRest]);
  });

  it("counts what has answered while the first look runs", () => {
    expect(sentence(fleet(service("a", { last_check: "2026-01-01T03:17:00Z" }), service("b", { status: "Unknown" })), null, NOW)[0]).toContain("1 of 2");
  });

  it("is short where all is well, and tells the slow from those that report trouble", () => {
    expect(sentence(fleet(service("a"), service("b")), null, NOW)).toEqual(["All 2 services are healthy.", ""]);
    const slow = service("a", { status: "Degraded", response_time_ms: 900 });
    const ill = service("b", { status: "Degraded", error_message: "replica lag" });
    expect(sentence(fleet(slow, ill), null, NOW)).toEqual(["Nothing is down; 2 of 2 services need a look.", "a is slow. b reports trouble."]);
  });
});

describe("words for one service", () => {
  it("gives the reason of a slow one with both figures", () => {
    expect(plain(reason(service("a", { status: "Degraded", response_time_ms: 583 })))).toBe("Slow: 583 ms, expected 500 ms");
  });

  it("sorts the worst first, critical before others, the longest first", () => {
    const order = [
      service("well"),
      service("young", { status: "Unhealthy", since: "2026-01-01T03:17:00Z" }),
      service("old", { status: "Unhealthy" }),
      service("critical", { status: "Unhealthy", critical: true, since: "2026-01-01T03:17:00Z" }),
    ];
    expect(order.sort(worstFirst).map((one) => one.id)).toEqual(["critical", "old", "young", "well"]);
  });

  it("finds no cause in a need that is well", () => {
    expect(causeOf(service("a", { depends_on: ["b"] }), fleet(service("b")))).toBeUndefined();
  });
});

it("tells the worst in the title", () => {
  expect(title(fleet(service("a"), service("b", { status: "Unhealthy" })), false)).toBe("■ 1 unhealthy · FKS Master");
  expect(title(fleet(service("a")), true)).toBe(T.title.lost);
});

it("writes figures without digits that mean nothing", () => {
  expect([span(59), span(61), span(7200), span(200000)].map(plain)).toEqual(["59 s", "1 min", "2 h", "2 d"]);
  expect([figure(null), figure(0), figure(3.14), figure(1234.5)]).toEqual(["–", "0.0", "3.1", "1,235"]);
  expect([bytes(null), bytes(0), bytes(2_500_000)].map(plain)).toEqual(["–", "0 B", "2.5 MB"]);
  expect([percent(100), percent(99.5), percent(null)].map(plain)).toEqual(["100 %", "99.50 %", "–"]);
});

it("tells of old data by the clock, and by the day where that is another", () => {
  expect(since("2026-01-01T03:12:00Z", NOW)).toBe("03:12");
  expect(since("2025-12-20T03:12:00Z", NOW)).toBe("20 Dec");
});

it("remembers what was not well lately", () => {
  const beat = (status: "Healthy" | "Degraded" | "Unhealthy", at: string) => ({ status, at: `2026-01-01T03:${at}:00Z`, ms: 1 });
  expect(trouble([beat("Healthy", "10")], NOW)).toBe("");
  expect(plain(trouble([beat("Degraded", "17"), beat("Healthy", "18")], NOW))).toBe("slow once, 1 min ago");
  expect(plain(trouble([beat("Unhealthy", "10"), beat("Unhealthy", "16"), beat("Degraded", "17")], NOW))).toBe("failed 2 times, last 2 min ago");
});
