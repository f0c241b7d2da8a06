import { signal } from "../vendor.js";
import { locale } from "./i18n.js";

/** Milliseconds the server's clock is ahead of this device's; learned from its answers, since people's clocks are wrong. */
let ahead = 0;

/** @param {string | null | undefined} serverTime RFC 3339 */
export function learnClock(serverTime) {
    const at = Date.parse(serverTime ?? "");
    if (!Number.isNaN(at)) ahead = at - Date.now();
}

/** The server's present time in milliseconds. */
export const now = () => Date.now() + ahead;

/** A signal that changes every second while something on the page shows running time, and every half minute otherwise. */
export const tick = signal(now());
let fast = 0;
let last = 0;
setInterval(() => {
    if (document.hidden || (fast === 0 && Date.now() - last < 30_000)) return;
    last = Date.now();
    tick.value = now();
}, 1000);

/** Asks for ticks of a second until the returned function is called. */
export function everySecond() {
    fast++;
    return () => void fast--;
}

let zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Shows all times in the zone of the reader's profile. Unknown zones are ignored. @param {string} name */
export function useZone(name) {
    try {
        new Intl.DateTimeFormat(locale, { timeZone: name });
        zone = name;
    } catch { /* keeps the browser's */ }
}

/** The zone times are shown in, such as "Europe/Berlin". */
export const currentZone = () => zone;

/** @type {Map<string, Intl.DateTimeFormat>} */
const formats = new Map();

/** @param {string} at @param {Intl.DateTimeFormatOptions} options */
function write(at, options) {
    const key = zone + JSON.stringify(options);
    let format = formats.get(key);
    if (!format) formats.set(key, (format = new Intl.DateTimeFormat(locale, { timeZone: zone, ...options })));
    return format.format(new Date(at));
}

/** "3 Dec 2026" @param {string} at */
export const day = (at) => write(at, { dateStyle: "medium" });

/** "14:02" @param {string} at */
export const clock = (at) => write(at, { timeStyle: "short" });

/** "3 Dec 2026, 14:02:11 CET": what stands behind a relative time. @param {string} at */
export const exact = (at) =>
    write(at, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" });

const relativeFormat = new Intl.RelativeTimeFormat(locale, { numeric: "auto", style: "short" });
const units = /** @type {const} */ ([["day", 86_400], ["hour", 3600], ["minute", 60]]);

/** "3 min ago", "in 2 days"; beyond a fortnight the day. @param {string} at @param {number} from milliseconds */
export function relative(at, from) {
    const seconds = Math.round((Date.parse(at) - from) / 1000);
    if (Math.abs(seconds) > 14 * 86_400) return day(at);
    for (const [unit, size] of units) {
        if (Math.abs(seconds) >= size) return relativeFormat.format(Math.trunc(seconds / size), unit);
    }
    return relativeFormat.format(0, "second");
}

/** Running time in minutes and seconds: "0:07", "12:40", "1:02:03". @param {number} ms */
export function elapsed(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
    if (parts[0] === 0) parts.shift();
    return parts.map((p, i) => (i === 0 ? String(p) : String(p).padStart(2, "0"))).join(":");
}
