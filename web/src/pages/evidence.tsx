// What was kept of an incident: facts, lines, texts; each kind as it is read best.
import type { Incident } from "../model";
import { T } from "../text";
import { Section } from "../ui/pieces";
import { NB, bytes, clock, exact, figure } from "../words";

type Found = Incident["evidence"][number];

const FEW = 12;

const isPlain = (data: unknown): data is string | number | boolean => ["string", "number", "boolean"].includes(typeof data);
const isList = (data: unknown): data is unknown[] => Array.isArray(data);
const titled = (kind: string): string => `${kind[0]?.toUpperCase() ?? ""}${kind.slice(1).replaceAll("_", " ")}`;
const isNothing = (value: unknown): boolean => value === null || value === "" || value === false || (isList(value) && value.length === 0) || (typeof value === "object" && !isList(value) && Object.keys(value).length === 0);

/** The last lines first in sight; all of them on request. */
function Texts({ lines }: { lines: readonly string[] }) {
  const few = lines.slice(-FEW);
  return (
    <>
      <pre class="code">{few.join("\n")}</pre>
      {lines.length > FEW && <details class="numbers"><summary>{T.incidents.show}</summary><pre class="code">{lines.join("\n")}</pre></details>}
    </>
  );
}

const HIDDEN = ["service_id", "id", "image_id", "outcome"];

/** A figure says its unit in its name. */
function figured(name: string, value: unknown): unknown {
  if (typeof value === "number" && name.endsWith("_bytes")) return bytes(value);
  if (typeof value === "number" && name.endsWith("_percent")) return `${figure(value)}${NB}%`;
  if (typeof value === "number" && (name === "seconds" || PHASES.includes(name))) return `${figure(value * 1000)} ${T.units.ms}`;
  if (typeof value === "string" && (name === "at" || name.endsWith("_at"))) return exact(value);
  return value;
}

/** The unit stands beside the figure, so the name need not say it. */
const calledOf = (name: string): string => (name === "seconds" ? T.incidents.took : name.replace(/_(bytes|percent|at)$/, "").replaceAll("_", " "));

const PHASES = ["dns", "connect", "tls", "first_byte", "transfer"];

function Data({ data }: { data: unknown }) {
  if (data === null || data === undefined) return <span class="soft">{T.none}</span>;
  if (typeof data === "number") return <span>{Number(data.toPrecision(6))}</span>;
  if (isPlain(data)) return String(data).includes("\n") || String(data).length > 120 ? <pre class="code">{String(data)}</pre> : <span>{String(data)}</span>;
  if (isList(data)) return data.every(isPlain) ? <Texts lines={data.map(String)} /> : <Rows rows={data} />;
  return (
    <dl class="dl left">
      {Object.entries(data as Record<string, unknown>).filter(([name, value]) => !isNothing(value) && !HIDDEN.includes(name)).map(([name, value]) => <><dt key={name}>{calledOf(name)}</dt><dd><Data data={figured(name, value)} /></dd></>)}
    </dl>
  );
}

/** A list of like things is a table. */
function Rows({ rows }: { rows: readonly unknown[] }) {
  const tables = rows.filter((row): row is Record<string, unknown> => typeof row === "object" && row !== null);
  const columns = [...new Set(tables.flatMap((row) => Object.keys(row).filter((name) => !isNothing(row[name]))))].slice(0, 6);
  return (
    <div class="scrolled" tabIndex={0} role="group" aria-label={columns.join(", ")}>
      <table class="plain">
        <thead><tr>{columns.map((name) => <th key={name} scope="col">{calledOf(name)}</th>)}</tr></thead>
        <tbody>{tables.map((row, index) => <tr key={index}>{columns.map((name) => <td key={name}><Data data={row[name]} /></td>)}</tr>)}</tbody>
      </table>
    </div>
  );
}

export function Evidence({ found }: { found: Found }) {
  const { data } = found;
  const lines = typeof data === "object" && data !== null && "lines" in data && isList(data.lines) ? data.lines.map(String) : null;
  return (
    <Section title={found.kind === "logs" ? T.incidents.lastLines : titled(found.kind)} aside={<span class="soft small">{T.incidents.saved(clock(found.at))}</span>}>
      {lines ? <Texts lines={lines} /> : <Data data={data} />}
    </Section>
  );
}
