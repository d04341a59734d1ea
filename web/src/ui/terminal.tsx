// Lines as they come: followed until somebody scrolls up, searched, paused, saved. Only what is near is in the page.
import { useEffect, useRef, useState } from "preact/hooks";
import { stream } from "../api";
import { pieces, plain } from "./ansi";

const MOST_LINES = 100_000;
const LINE = 18;
const REPAINT_MS = 100;

export interface TerminalLine {
  at: string;
  kind: string;
  text: string;
}

interface Props {
  path: string;
  /** From one line of the answer to what is shown. */
  read: (line: string) => TerminalLine;
  name: string;
}

interface Kept {
  lines: TerminalLine[];
  skipped: number;
  rest: string;
  error: string;
  hasEnded: boolean;
}

function Text({ line, wanted }: { line: TerminalLine; wanted: string }) {
  const isHit = wanted !== "" && plain(line.text).toLowerCase().includes(wanted);
  return (
    <span class={isHit ? "hit" : ""}>
      {pieces(line.text).map((piece, index) => (piece.style ? <span key={index} class={piece.style}>{piece.text}</span> : piece.text))}
    </span>
  );
}

export function Terminal({ path, read, name }: Props) {
  const kept = useRef<Kept>({ lines: [], skipped: 0, rest: "", error: "", hasEnded: false });
  const box = useRef<HTMLDivElement>(null);
  const [, repaint] = useState(0);
  const [isFollowing, follow] = useState(true);
  const [wanted, want] = useState("");
  const [top, setTop] = useState(0);

  useEffect(() => {
    const state: Kept = { lines: [], skipped: 0, rest: "", error: "", hasEnded: false };
    kept.current = state;
    const ending = new AbortController();
    let isDirty = true;
    const timer = setInterval(() => {
      if (isDirty) repaint((count) => count + 1);
      isDirty = false;
    }, REPAINT_MS);
    const run = async () => {
      for await (const text of stream(path, ending.signal)) {
        const parts = (state.rest + text).split("\n");
        state.rest = parts.pop() ?? "";
        for (const part of parts) state.lines.push(read(part));
        if (state.lines.length > MOST_LINES) {
          state.skipped += state.lines.length - MOST_LINES;
          state.lines.splice(0, state.lines.length - MOST_LINES);
        }
        isDirty = true;
      }
      if (state.rest) state.lines.push(read(state.rest));
    };
    run()
      .catch((error: unknown) => {
        if (!ending.signal.aborted) state.error = (error as Error).message;
      })
      .finally(() => {
        state.hasEnded = isDirty = true;
      });
    return () => {
      clearInterval(timer);
      ending.abort();
    };
  }, [path]);

  const { lines, skipped, error, hasEnded } = kept.current;
  useEffect(() => {
    const node = box.current;
    if (node && isFollowing) node.scrollTop = node.scrollHeight;
  });

  const wantedNow = wanted.toLowerCase();
  const height = box.current?.clientHeight ?? 360;
  const from = Math.max(0, Math.floor(top / LINE) - 20);
  const to = Math.min(lines.length, Math.ceil((top + height) / LINE) + 20);
  const hits = wantedNow ? lines.filter((line) => plain(line.text).toLowerCase().includes(wantedNow)).length : 0;
  const jump = () => {
    const start = Math.floor(top / LINE) + 1;
    const at = [...lines.keys()].find((index) => index >= start && plain(lines[index]?.text ?? "").toLowerCase().includes(wantedNow));
    if (at !== undefined && box.current) {
      follow(false);
      box.current.scrollTop = at * LINE;
    }
  };
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.map((line) => plain(line.text)).join("\n")], { type: "text/plain" }));
    link.download = `${name}.log`;
    link.click();
    URL.revokeObjectURL(link.href);
  };
  const onScroll = (event: Event) => {
    const node = event.currentTarget as HTMLDivElement;
    setTop(node.scrollTop);
    follow(node.scrollHeight - node.scrollTop - node.clientHeight < 2 * LINE);
  };
  return (
    <div>
      <div class="row tools">
        <input type="search" aria-label={`Search in ${name}`} placeholder="Search" value={wanted} onInput={(event) => want(event.currentTarget.value)} onKeyDown={(event) => event.key === "Enter" && jump()} />
        {wantedNow && <button class="small" onClick={jump}>{hits} hits, next</button>}
        <button class="small" aria-pressed={isFollowing} onClick={() => follow(!isFollowing)}>{isFollowing ? "Following" : "Follow"}</button>
        <button class="small" onClick={save}>Download</button>
        <span class="soft">
          {lines.length.toLocaleString("en")} lines{skipped > 0 && `, ${skipped.toLocaleString("en")} older ones dropped`}
          {hasEnded ? ", ended" : ""}
        </span>
      </div>
      {error && <p class="why-not">{error}</p>}
      <div class="terminal" ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={name} aria-live="off">
        <div style={{ height: `${from * LINE}px` }} />
        {lines.slice(from, to).map((line, index) => (
          <div class={`l ${line.kind}`} key={from + index}>
            {line.at && <span class="at" data-at={line.at.slice(11, 23)} aria-hidden="true" />}
            <Text line={line} wanted={wantedNow} />
          </div>
        ))}
        <div style={{ height: `${Math.max(0, lines.length - to) * LINE}px` }} />
      </div>
    </div>
  );
}
