// Colours of a terminal as classes. Nothing but colours is taken from the text; every piece stays a text node.
const NAMES = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export interface Piece {
  text: string;
  style: string;
}

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let colour = "";
  let isBold = false;
  let isDim = false;
  for (const part of text.split(/(\x1b\[[0-9;]*m)/)) {
    if (part.startsWith("\x1b[")) {
      for (const code of part.slice(2, -1).split(";").map(Number)) {
        if (code === 0) [colour, isBold, isDim] = ["", false, false];
        else if (code === 1) isBold = true;
        else if (code === 2) isDim = true;
        else if (code === 22) [isBold, isDim] = [false, false];
        else if (code === 39) colour = "";
        else if (code >= 30 && code <= 37) colour = NAMES[code - 30] ?? "";
        else if (code >= 90 && code <= 97) colour = NAMES[code - 90] ?? "";
      }
    } else if (part) {
      const style = [colour && `c-${colour}`, isBold && "c-bold", isDim && "c-dim"].filter(Boolean).join(" ");
      found.push({ text: part, style });
    }
  }
  return found;
}

/** Without colours and other control codes, for searching and copying. */
export const plain = (text: string): string => (!text.includes("\x1b") ? text : text.replace(/\x1b\[[0-9;]*m/g, ""));
