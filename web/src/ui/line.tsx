// One line of a log or a job: its time and stream, its colours, and what was searched for.
import { memo } from "preact/compat";
import { T } from "../text";
import { pieces, plain } from "./ansi";
import type { TerminalLine } from "./lines";

function Marked({ text, wanted, isHere }: { text: string; wanted: string; isHere: boolean }) {
  const low = text.toLowerCase();
  const parts = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0 && wanted; at = low.indexOf(wanted, from)) {
    parts.push(text.slice(from, at), <mark key={at} class={isHere ? "cur" : ""}>{text.slice(at, at + wanted.length)}</mark>);
    from = at + wanted.length;
  }
  return <>{parts}{text.slice(from)}</>;
}

const LEVEL = /\b(ERROR|FATAL|CRITICAL|WARN|WARNING)\b/;

/** A line without colours of its own gets the one of its level. */
function levelOf(text: string): string {
  const level = LEVEL.exec(text)?.[1];
  return level ? (level.startsWith("WARN") ? "c-yellow" : "c-red") : "";
}

function Text({ line, wanted, isHere }: { line: TerminalLine; wanted: string; isHere: boolean }) {
  if (wanted) return <Marked text={plain(line.text)} wanted={wanted} isHere={isHere} />;
  return <>{pieces(line.text).map((piece, index) => (piece.style ? <span key={index} class={piece.style}>{piece.text}</span> : piece.text))}</>;
}

interface Props {
  line: TerminalLine;
  wanted: string;
  isHere: boolean;
  isPlain: boolean;
}

/** Drawn once: a line never changes. */
export const Line = memo(function Line({ line, wanted, isHere, isPlain }: Props) {
  return (
    <div class={`l ${line.kind === "stderr" ? "err" : ""}`}>
      {!isPlain && <><span class="at" data-text={line.at.slice(11, 23)} aria-hidden="true" /><span class="stream" data-text={line.kind === "stderr" ? T.logs.err : T.logs.out} aria-hidden="true" /></>}
      <span class={levelOf(line.text)}><Text line={line} wanted={wanted} isHere={isHere} /></span>
    </div>
  );
});

const MOST_TICKS = 200;

/** Where the hits are in the whole, at the edge. */
export function Rail({ hits, first, count }: { hits: readonly number[]; first: number; count: number }) {
  const isAt = new Uint8Array(MOST_TICKS + 1);
  for (const hit of hits) isAt[Math.round(((hit - first) / count) * MOST_TICKS)] = 1;
  return <span class="rail" aria-hidden="true">{[...isAt].map((is, place) => is === 1 && <i key={place} style={{ top: `${(place / MOST_TICKS) * 100}%` }} />)}</span>;
}
