// Lines as they come: followed until somebody scrolls up, searched, paused, saved. Only what is near is in the page.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { T } from "../text";
import { plain } from "./ansi";
import { Line, Rail } from "./line";
import { Failed, Search, Tick } from "./pieces";
import { useRun, type Source } from "./run";
import { save } from "./save";

const LINE = 18;
const MARGIN = 30;
const WRAPPED = 1000;

interface Props extends Source {
  name: string;
  title: string;
  high?: string;
  isPlain?: boolean;
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
  const hasJumped = useRef(false);
  const end = frozen ?? lines.end;
  const count = Math.max(0, end - lines.dropped);
  // Before anything else may happen: one that came later would undo a jump that was made meanwhile.
  useLayoutEffect(() => {
    const node = box.current;
    if (node && isFollowing) node.scrollTop = node.scrollHeight;
  });
  const dropped = useRef(0);
  useLayoutEffect(() => { // what is read stays where it is while older lines are dropped above it
    const fewer = lines.dropped - dropped.current;
    dropped.current = lines.dropped;
    if (!box.current || fewer <= 0 || isFollowing || isWrapping) return;
    box.current.scrollTop -= fewer * LINE;
    setTop(box.current.scrollTop);
  }, [lines.dropped]);
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
    const before = box.current.scrollTop;
    box.current.scrollTop = ((hits[next] ?? 0) - lines.dropped) * LINE - box.current.clientHeight / 2;
    hasJumped.current = box.current.scrollTop !== before;
  };
  const onScroll = (event: Event) => {
    const node = event.currentTarget as HTMLDivElement;
    setTop(node.scrollTop);
    const wasJump = hasJumped.current;
    hasJumped.current = false;
    if (wasJump) return; // who looks at a hit near the end wants to stay there
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
        <button class="btn quiet s" onClick={() => save(`${name}.log`, lines.kept.map((line) => plain(line.text)).join("\n"))}>{T.logs.download}</button>
      </div>
      <Failed what={title} error={error} />
      <div class="logwrap">
        <div class={`term${isWrapping ? " wrap" : ""}${isPlain ? " out" : ""}`} style={{ height: high }} ref={box} onScroll={onScroll} tabIndex={0} role="log" aria-label={name} aria-live="off">
          <div style={{ height: `${isWrapping ? 0 : from * LINE}px` }} />
          {lines.kept.slice(from, to).map((line, index) => {
            const number = lines.dropped + from + index;
            return <Line key={number} line={line} wanted={low} isHere={number === hit} isPlain={isPlain} />;
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
