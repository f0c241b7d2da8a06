import { html, useState } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { announce } from "./announcer.js";
import { Icon } from "./icons.js";

/**
 * A button that copies a value and says so, in place and aloud. `value` may be fetched only when asked for.
 * @param {{value: string | (() => Promise<string>), label: string}} props label names the thing: "IP address"
 */
export function Copy({ value, label }) {
    const [state, setState] = useState("");
    const copy = async () => {
        try {
            await write(value);
            setState("done");
            announce(t("copy.done", { label }));
        } catch {
            setState("failed");
            announce(t("copy.failed", { label }));
        }
        setTimeout(() => setState(""), 2000);
    };
    const name = state === "done" ? t("copy.done", { label }) : state === "failed" ? t("copy.failed", { label }) : t("copy.do", { label });
    return html`<button type="button" class="icon-btn" onClick=${copy} aria-label=${name} title=${name} data-done=${state === "done" ? "" : undefined}>
        <${Icon} name=${state === "done" ? "done" : state === "failed" ? "cross" : "copy"} />
    </button>`;
}

/**
 * Writes to the clipboard. A value that is still to be fetched is handed over as a promise where the browser takes one, so
 * that the permission of the key press is not lost while waiting.
 * @param {string | (() => Promise<string>)} value
 */
async function write(value) {
    if (typeof value === "string") return navigator.clipboard.writeText(value);
    if (typeof ClipboardItem === "function") {
        const text = value().then((v) => new Blob([v], { type: "text/plain" }));
        return navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
    }
    return navigator.clipboard.writeText(await value());
}
