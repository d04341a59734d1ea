// The lines of a log or a job: the last hundred thousand, searched as they come.
import { plain } from "./ansi";

export const MOST_LINES = 100_000;

export interface TerminalLine {
  at: string;
  kind: string;
  text: string;
}

/** Numbers are absolute: they go on where older lines were dropped. */
export class Lines {
  readonly kept: TerminalLine[] = [];
  dropped = 0;
  private wanted = "";
  private found: number[] = [];

  get end(): number {
    return this.dropped + this.kept.length;
  }

  /** Where the hits are, oldest first. */
  get hits(): readonly number[] {
    return this.found;
  }

  add(fresh: readonly TerminalLine[]): void {
    for (const line of fresh) {
      if (this.wanted && this.isHit(line)) this.found.push(this.end);
      this.kept.push(line);
    }
    const surplus = this.kept.length - MOST_LINES;
    if (surplus <= 0) return;
    this.kept.splice(0, surplus);
    this.dropped += surplus;
    const first = this.found.findIndex((at) => at >= this.dropped);
    this.found.splice(0, first < 0 ? this.found.length : first);
  }

  search(text: string): void {
    this.wanted = text.toLowerCase();
    this.found = [];
    if (!this.wanted) return;
    this.kept.forEach((line, index) => {
      if (this.isHit(line)) this.found.push(this.dropped + index);
    });
  }

  private isHit(line: TerminalLine): boolean {
    return plain(line.text).toLowerCase().includes(this.wanted);
  }
}
