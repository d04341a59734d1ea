// A stream read into lines as it comes.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { stream, wordsOf } from "../api";
import { Lines, type TerminalLine } from "./lines";

const REPAINT_MS = 100;

export interface Source {
  path: string;
  /** From one line of the answer to what is shown. */
  read: (line: string) => TerminalLine;
}

interface Run {
  lines: Lines;
  error: string;
  hasEnded: boolean;
}

/** Reads the stream into lines; what it tells is drawn ten times a second at most. */
export function useRun({ path, read }: Source, wanted: string): Run {
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
