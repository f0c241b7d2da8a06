import { html, signal } from "../vendor.js";

const said = signal("");

/** Says a short sentence to screen readers, politely. @param {string} text */
export function announce(text) {
    said.value = "";
    setTimeout(() => { said.value = text; }, 50);
}

/** The region announcements go to; drawn once, outside all pages. */
export const Announcer = () => html`<div class="sr" role="status" aria-live="polite">${said.value}</div>`;
