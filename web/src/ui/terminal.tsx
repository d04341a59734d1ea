// Lines as they come: followed until somebody scrolls up, searched, paused, saved. Only what is near is in the page.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { stream, wordsOf } from "../api";
import { T } from "../text";
import { pieces, plain } from "./ansi";
import { Lines, type TerminalLine } from "./lines";
import { Failed, Search, Tick } from "./pieces";

export type { TerminalLine };

const LINE = 18;
const REPAINT_MS = 100;
const MARGIN = 30;
const WRAPPED = 1000;

interface Props {
  path: string;
  /** From one line of the answer to what is shown. */
  read: (line: string) => TerminalLine;
  name: string;
  title: string;
  high?: string;
  isPlain?: boolean;
}

interface Run {
  lines: Lines;
  error: string;
  hasEnded: boolean;
}

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

/** Reads the stream into lines; what it tells is drawn ten times a second at most. */
function useRun({ path, read }: Pick<Props, "path" | "read">, wanted: string): Run {
  const run = useRef<Run>({ lines: new Lines(), error: "", hasEnded: false });
  const [, repaint] = useState(0);
  useEffect(() => {
    const mine: Run = { lines: new Lines(), error: "", hasEnded: false };
    run.current = mine;
    mine.lines.search(wanted);
    const ending = new AbortController();
    let isDirty = true;
    const timer = setInterval(() => {
      if (isDirty) repaint((count) => count + 1);
      isDirty = false;
    }, REPAINT_MS);
    const follow = async () => {
      let rest = "";
      for await (const text of stream(path, ending.signal)) {
        const parts = (rest + text).split("\n");
        rest = parts.pop() ?? "";
        mine.lines.add(parts.map(read));
        isDirty = true;
      }
      if (rest) mine.lines.add([read(rest)]);
    };
    follow()
      .catch((error: unknown) => {
        if (!ending.signal.aborted) mine.error = wordsOf(error);
      })
      .finally(() => {
        mine.hasEnded = isDirty = true;
      });
    return () => {
      clearInterval(timer);
      ending.abort();
    };
  }, [path]);
  useLayoutEffect(() => {
    run.current.lines.search(wanted);
    repaint((count) => count + 1);
  }, [wanted]);
  return run.current;
}

function save(name: string, lines: readonly TerminalLine[]): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map((line) => plain(line.text)).join("\n")], { type: "text/plain" }));
  link.download = `${name}.log`;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function Terminal({ path, read, name, title, high = "max(300px, 42vh)", isPlain = false }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [wanted, want] = useState("");
  const { lines, error, hasEnded } = useRun({ path, read }, wanted.toLowerCase());
  const [isFollowing, follow] = useState(true);
  const [isWrapping, wrap] = useState(false);
  const [frozen, freeze] = useState<number | null>(null);
  const [left, leave] = useState(0);
  const [top, setTop] = useState(0);
  const [hit, setHit] = useState(-1);
  const end = frozen ?? lines.end;
  const count = Math.max(0, end - lines.dropped);
  useEffect(() => {
    const node = box.current;
    if (node && isFollowing) node.scrollTop = node.scrollHeight;
  });
  const unfollow = () => {
    if (isFollowing) leave(lines.end);
    follow(false);
  };
  const catchUp = () => {
    freeze(null);
    follow(true);
  };
  const jump = (step: number) => {
    const { hits } = lines;
    if (!hits.length || !box.current) return;
    const here = hits.indexOf(hit);
    const next = here < 0 ? (step > 0 ? 0 : hits.length - 1) : (here + step + hits.length) % hits.length;
    unfollow();
    setHit(hits[next] ?? -1);
    box.current.scrollTop = ((hits[next] ?? 0) - lines.dropped) * LINE - box.current.clientHeight / 2;
  };
  const onScroll = (event: Event) => {
    const node = event.currentTarget as HTMLDivElement;
    setTop(node.scrollTop);
    if (node.scrollHeight - node.scrollTop - node.clientHeight < 2 * LINE) follow(frozen === null);
    else unfollow();
  };
  const from = isWrapping ? Math.max(0, count - WRAPPED) : Math.max(0, Math.floor(top / LINE) - MARGIN);
  const to = isWrapping ? count : Math.min(count, Math.ceil((top + (box.current?.clientHeight ?? 400)) / LINE) + MARGIN);
  const fresh = frozen !== null ? lines.end - frozen : isFollowing ? 0 : lines.end - left;
  const low = wanted.toLowerCase();
  return (
    <section class="sec">
      <div class="hd wraps">
        <h2>{title}</h2>
        <Search label={T.logs.searchIn(name)} placeholder={T.logs.search} value={wanted} onInput={(text) => (want(text), setHit(-1))} onKey={(event) => event.key === "Enter" && (event.preventDefault(), jump(event.shiftKey ? -1 : 1))}>
          {low && <span class="count">{hit >= 0 ? T.logs.hit(lines.hits.indexOf(hit) + 1, lines.hits.length) : T.logs.hits(lines.hits.length)}</span>}
        </Search>
        {low && lines.hits.length > 0 && <><button class="btn quiet s" aria-label={T.logs.previous} onClick={() => jump(-1)}>↑</button><button class="btn quiet s" aria-label={T.logs.next} onClick={() => jump(1)}>↓</button></>}
        <Tick label={T.logs.follow} isOn={isFollowing} onChange={(is) => (is ? catchUp() : unfollow())} />
        <Tick label={T.logs.wrap} isOn={isWrapping} onChange={wrap} />
        <span class="sp" />
        <button class="btn quiet s" aria-pressed={frozen !== null} onClick={() => (frozen === null ? freeze(lines.end) : catchUp())}>{frozen === null ? T.logs.pause : T.logs.resume}</button>
        <button class="btn quiet s" onClick={() => save(name, lines.kept)}>{T.logs.download}</button>
      </div>
      <Failed what={title} error={error} />
      <div class="logwrap">
        <div class={`term${isWrapping ? " wrap" : ""}${isPlain ? " out" : ""}`} style={{ height: high }} ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={name} aria-live="off">
          <div style={{ height: `${isWrapping ? 0 : from * LINE}px` }} />
          {lines.kept.slice(from, to).map((line, index) => {
            const number = lines.dropped + from + index;
            return (
              <div class={`l ${line.kind === "stderr" ? "err" : ""}`} key={number}>
                {!isPlain && <><span class="at" data-text={line.at.slice(11, 23)} aria-hidden="true" /><span class="stream" data-text={line.kind === "stderr" ? T.logs.err : T.logs.out} aria-hidden="true" /></>}
                <span class={levelOf(line.text)}><Text line={line} wanted={low} isHere={number === hit} /></span>
              </div>
            );
          })}
          <div style={{ height: `${isWrapping ? 0 : Math.max(0, count - to) * LINE}px` }} />
          {!count && <p class="l out soft">{hasEnded ? T.logs.ended : T.logs.waiting}</p>}
        </div>
        {low && count > 0 && <Rail hits={lines.hits} first={lines.dropped} count={count} />}
        {fresh > 0 && <button class="newl" onClick={catchUp}>{T.logs.fresh(fresh)}</button>}
      </div>
      <p class="legend">
        {T.logs.lines(count)}{isWrapping && count > WRAPPED && `, ${T.logs.wrapped(WRAPPED)}`}{frozen !== null && `, ${T.logs.paused}`}{hasEnded && count > 0 && `, ${T.logs.ended}`}
        {lines.dropped > 0 && <b class="st-Degraded" role="status"> {T.logs.skipped(lines.dropped)}</b>}
      </p>
    </section>
  );
}

const MOST_TICKS = 200;

function Rail({ hits, first, count }: { hits: readonly number[]; first: number; count: number }) {
  const at = new Set(hits.map((hit) => Math.round(((hit - first) / count) * MOST_TICKS)));
  return <span class="rail" aria-hidden="true">{[...at].map((place) => <i key={place} style={{ top: `${(place / MOST_TICKS) * 100}%` }} />)}</span>;
}
