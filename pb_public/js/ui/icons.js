import { html } from "../vendor.js";

/** One stroke set, drawn for this product on a 20-unit grid with a 1.5 stroke. Icons are decoration: text stands beside each. */
const paths = {
    overview: ["M3 9.5 10 3.5l7 6", "M5 8.5v7.5h10V8.5", "M8.5 16v-4.5h3V16"],
    services: ["M3.5 4h13v5h-13z", "M3.5 11h13v5h-13z", "M6.5 6.5h.01", "M6.5 13.5h.01", "M10 6.5h4", "M10 13.5h4"],
    billing: ["M5 2.5h10v15l-2.5-1.6L10 17.5l-2.5-1.6L5 17.5z", "M8 6.5h4", "M8 9.5h4", "M8 12.5h2"],
    account: ["M10 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6z", "M4 16.5c.6-2.8 3-4.3 6-4.3s5.4 1.5 6 4.3"],
    copy: ["M7.5 7.500h8.500v8.500h-8.500z", "M4 12.500v-8.500h8.5"],
    done: ["M4 10.5 8.2 14.5 16 6"],
    close: ["M5.5 5.500l9 9", "M14.5 5.500l-9 9"],
    open: ["M11.5 4h4.500v4.5", "M16 4l-7 7", "M13.5 11.500V16H4V6.500h4.5"],
    edit: ["M4 16l.8-3.400L13.5 4l2.5 2.5-8.6 8.700z", "M11.8 5.700l2.5 2.5"],
    refresh: ["M16 10a6 6 0 1 1-1.8-4.300L16 7.5", "M16 4v3.500h-3.5"],
    cross: ["M6 6l8 8", "M14 6l-8 8"],
};

/** @param {{name: keyof typeof paths}} props */
export const Icon = ({ name }) => html`
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">
        ${paths[name].map((d) => html`<path d=${d} />`)}
    </svg>`;

/** The mark beside the product's name: three rungs, as of a rack and of a scale. */
export const Mark = () => html`
    <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
        <rect width="24" height="24" rx="5.5" fill="var(--accent)" />
        <path d="M6 17h12M6 12h8.500M6 7h5" stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round" fill="none" />
    </svg>`;
