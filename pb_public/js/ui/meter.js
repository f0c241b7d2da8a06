import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";

/**
 * A measure against what is included: number, bar, and a warning colour at 80 and 100 %. Without `write` only the share is told.
 * @param {{label: string, used: number, total: number | null, write?: (n: number) => string, note?: any}} props
 */
export function Meter({ label, used, total, write, note }) {
    const percent = total ? Math.round((used / total) * 100) : null;
    const level = percent === null || percent < 80 ? "" : percent < 100 ? "warn" : "bad";
    return html`<div class="meter" data-level=${level}>
        <div class="meter-head">
            <span class="strong">${label}</span>
            <span class="num">${write && (total ? t("meter.of", { used: write(used), total: write(total) }) : write(used))}${percent !== null && html` <span class=${level || "muted"}>${write && "· "}${percent} %</span>`}</span>
        </div>
        ${percent !== null && html`<div class="track" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.min(percent, 100)} aria-valuetext="${percent} %">
            <span class="fill" style=${{ inlineSize: Math.min(percent, 100) + "%" }}></span></div>`}
        ${note && html`<p class="small muted">${note}</p>`}
    </div>`;
}
