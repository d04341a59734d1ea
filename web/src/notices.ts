// Told outside the page, on request: a notification of this computer, and a sound, for each new incident.
import { signal } from "@preact/signals";
import { onEvent, services } from "./feed";
import { T } from "./text";

const NOTIFY = "fks-notify";
const SOUND = "fks-sound";
const TONE_HZ = 660;

export const isNotifying = signal(localStorage.getItem(NOTIFY) === "on" && "Notification" in globalThis && Notification.permission === "granted");
export const isSounding = signal(localStorage.getItem(SOUND) === "on");
export const refusal = signal("");

export async function setNotifying(is: boolean): Promise<void> {
  const permission = is && "Notification" in globalThis ? await Notification.requestPermission() : "denied";
  isNotifying.value = is && permission === "granted";
  refusal.value = is && !isNotifying.value ? T.help.denied : "";
  localStorage.setItem(NOTIFY, isNotifying.value ? "on" : "off");
}

export function setSounding(is: boolean): void {
  isSounding.value = is;
  localStorage.setItem(SOUND, is ? "on" : "off");
  if (is) sound();
}

/** Two short soft tones. */
function sound(): void {
  const audio = new AudioContext();
  [0, 0.2].forEach((at, index) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = TONE_HZ / (index + 1);
    volume.gain.setValueAtTime(0.15, audio.currentTime + at);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.18);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + at);
    tone.stop(audio.currentTime + at + 0.2);
  });
  setTimeout(() => void audio.close(), 1000);
}

export function watchIncidents(): void {
  onEvent((event) => {
    if (event.event_type !== "ServiceDown" || !event.service_id) return;
    if (isSounding.value) sound();
    if (!isNotifying.value) return;
    const name = services.value.get(event.service_id)?.name ?? event.service_id;
    const notice = new Notification(name, { body: event.message, tag: `down ${event.service_id}` });
    notice.onclick = () => {
      window.focus();
      location.hash = `service/${encodeURIComponent(event.service_id ?? "")}`;
    };
  });
}
