import { html, useEffect } from "../vendor.js";
import { clock, day, elapsed, everySecond, exact, relative, tick } from "../lib/dates.js";

/** A moment: relative near now, exact on hover. @param {{at: string}} props */
export const Ago = ({ at }) => html`<time datetime=${at} title=${exact(at)}>${relative(at, tick.value)}</time>`;

/** A calendar day in the reader's zone. @param {{at: string}} props */
export const Day = ({ at }) => html`<time datetime=${at} title=${exact(at)} class="num">${day(at)}</time>`;

/** A moment to the minute, for what ends then. @param {{at: string}} props */
export const Until = ({ at }) => html`<time datetime=${at} title=${exact(at)} class="num">${day(at)}, ${clock(at)}</time>`;

/** Time running since a moment, or how long something took. @param {{from: string, to?: string | null}} props */
export function Running({ from, to }) {
    useEffect(() => (to ? undefined : everySecond()), [to]);
    const end = to ? Date.parse(to) : tick.value;
    return html`<span class="num">${elapsed(end - Date.parse(from))}</span>`;
}
