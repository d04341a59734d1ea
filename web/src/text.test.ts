import { expect, it } from "vitest";

const files = Object.entries(import.meta.glob<string>("./**/*.tsx", { query: "?raw", import: "default", eager: true }));

/** Words between tags, or in what a screen reader says. */
const SAID = [/[^\s=]>\s*[A-Za-z][^<>{}=();&]{2,}</, /\b(?:aria-label|placeholder|title)="[^"]*[A-Za-z]/];
const COMMANDS = ["fks_master", "docker-compose.yml", "<kbd>"];

it.each(files)("%s says nothing by itself: its words stand in text.ts", (_, source) => {
  const lines = source.split("\n").map((line) => line.replaceAll(/\{[^{}]*\}/g, "{}"));
  expect(lines.filter((line) => SAID.some((each) => each.test(line)) && !COMMANDS.some((each) => line.includes(each)))).toEqual([]);
});

it("finds the files", () => expect(files.length).toBeGreaterThan(15));
