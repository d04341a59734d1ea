// Told outside the page, on request: a notification of this computer, and a sound, for each new incident.
import { signal } from "@preact/signals";
import { onEvent, services } from "./feed";
import type { Event } from "./model";
import { go, serviceAt } from "./router";
import { T } from "./text";
import { causeOf, names } from "./words";

const NOTIFY = "fks-notify";
const SOUND = "fks-sound";
const TONE_HZ = 660;
const TOGETHER_MS = 500;
const AGAIN_MS = 2000;
const HEARD = ["pointerdown", "keydown"];

const mayNotify = (): boolean => "Notification" in globalThis && Notification.permission === "granted";

export const isNotifying = signal(localStorage.getItem(NOTIFY) === "on" && mayNotify());
export const isSounding = signal(localStorage.getItem(SOUND) === "on");
export const refusal = signal("");

export async function setNotifying(is: boolean): Promise<void> {
  if (is && "Notification" in globalThis) await Notification.requestPermission();
  isNotifying.value = is && mayNotify();
  refusal.value = is && !isNotifying.value ? T.help.denied : "";
  localStorage.setItem(NOTIFY, isNotifying.value ? "on" : "off");
}

export function setSounding(is: boolean): void {
  isSounding.value = is;
  localStorage.setItem(SOUND, is ? "on" : "off");
  if (is) sound();
}

let audio: AudioContext | undefined;

/** Browsers let a page sound only after somebody touched it: ready it at the first touch, for an incident hours later. */
function ready(): void {
  if (!isSounding.value) return;
  audio ??= new AudioContext();
  void audio.resume().catch(() => undefined);
}

/** Two short soft tones. */
function sound(): void {
  ready();
  if (!audio) return;
  const from = audio.currentTime;
  [0, 0.2].forEach((at, index) => {
    if (!audio) return;
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = TONE_HZ / (index + 1);
    volume.gain.setValueAtTime(0.15, from + at);
    volume.gain.exponentialRampToValueAtTime(0.001, from + at + 0.18);
    tone.connect(volume).connect(audio.destination);
    tone.start(from + at);
    tone.stop(from + at + 0.2);
  });
}

/** What fails because of something else that failed wakes nobody of its own. */
function isExplained(id: string): boolean {
  const one = services.value.get(id);
  return one !== undefined && causeOf(one, services.value) !== undefined;
}

const nameOf = (id: string): string => services.value.get(id)?.name ?? id;

function notify(down: readonly Event[]): void {
  const [first] = down;
  if (!first?.service_id) return;
  const where = down.length === 1 ? serviceAt(first.service_id) : "incidents";
  const head = down.length === 1 ? nameOf(first.service_id) : T.help.manyDown(down.length, names(down.map((one) => ({ name: nameOf(one.service_id ?? "") }))));
  try {
    const notice = new Notification(head, { body: down.slice(0, 3).map((one) => one.message).join("\n"), tag: `down ${first.id}` });
    notice.onclick = () => {
      window.focus();
      go(where);
      notice.close();
    };
  } catch {
    refusal.value = T.help.denied; // phones know of notifications, and let no page make one
  }
}

let down: Event[] = [];
let soon: ReturnType<typeof setTimeout> | undefined;

/** What goes down together is told once, with one sound. */
function tell(): void {
  const told = down.filter((one) => !isExplained(one.service_id ?? ""));
  down = [];
  soon = setTimeout(() => (down.length ? tell() : (soon = undefined)), AGAIN_MS);
  if (!told.length) return;
  if (isSounding.value) sound();
  if (isNotifying.value) notify(told);
}

export function watchIncidents(): void {
  onEvent((event) => {
    if (event.event_type !== "ServiceDown" || !event.service_id) return;
    down.push(event);
    soon ??= setTimeout(tell, TOGETHER_MS);
  });
  for (const name of HEARD) addEventListener(name, ready, { passive: true });
}
