import { html, useEffect, useRef, useState } from "../vendor.js";
import { t } from "../lib/i18n.js";

/** One language of states everywhere: word, shape and colour. The shapes: ● ■ ◐ ▲ ✕ ○. */
const looks = {
    running: { tone: "ok", shape: "disc" },
    stopped: { tone: "", shape: "square" },
    building: { tone: "busy", shape: "half" },
    waiting: { tone: "", shape: "ring" },
    suspended: { tone: "warn", shape: "triangle" },
    failed: { tone: "bad", shape: "cross" },
    terminated: { tone: "", shape: "ring" },
    paid: { tone: "ok", shape: "disc" },
    open: { tone: "warn", shape: "half-still" },
    overdue: { tone: "bad", shape: "triangle" },
    void: { tone: "", shape: "ring" },
    uncollectible: { tone: "bad", shape: "cross" },
    busy: { tone: "busy", shape: "half" },
};

/** @param {string} shape */
function drawing(shape) {
    if (shape === "square") return html`<rect x="1" y="1" width="8" height="8" rx="1" fill="currentColor" />`;
    if (shape === "triangle") return html`<path d="M5 .8 9.6 9.200H.4z" fill="currentColor" />`;
    if (shape === "cross") return html`<path d="M1.5 1.500l7 7M8.5 1.500l-7 7" stroke="currentColor" stroke-width="2" stroke-linecap="round" />`;
    if (shape === "disc") return html`<circle cx="5" cy="5" r="4.5" fill="currentColor" />`;
    return html`<circle cx="5" cy="5" r="4" fill="none" stroke="currentColor" stroke-width="1.5" />
        ${shape.startsWith("half") && html`<path d="M5 1a4 4 0 0 1 0 8z" fill="currentColor" />`}`;
}

/**
 * A state with its word. A change is marked for a moment; it is announced where `live` is set, which is for the one badge a
 * page is about and not for every row of a list.
 * @param {{state: string, word?: string, live?: boolean}} props
 */
export function Badge({ state, word, live = false }) {
    const look = looks[/** @type {keyof typeof looks} */ (state)] ?? { tone: "", shape: "ring" };
    const text = word ?? t("state." + state);
    const before = useRef(text);
    const [fresh, setFresh] = useState(false);
    useEffect(() => {
        if (before.current === text) return undefined;
        before.current = text;
        setFresh(true);
        const end = setTimeout(() => setFresh(false), 1600);
        return () => clearTimeout(end);
    }, [text]);
    return html`<span class="badge" data-tone=${look.tone} data-fresh=${fresh ? "" : undefined} role=${live ? "status" : undefined}>
        <svg class="shape" viewBox="0 0 10 10" aria-hidden="true">${drawing(look.shape)}</svg>${text}
    </span>`;
}
