import { html } from "../vendor.js";
import { t } from "../lib/i18n.js";
import { Ago } from "./time.js";
import { Button } from "./button.js";

/** What can be done to the power, and for which state of the machine it makes sense. */
const actions = /** @type {const} */ ([
    { name: "boot", when: "stopped" },
    { name: "restart", when: "running" },
    { name: "shutdown", when: "running" },
    { name: "poweroff", when: "running", kind: "danger" },
]);

/** The power buttons, each with a word on what it does to running work. @param {{service: any, doing: string, act: (word: string, path: string, body?: unknown) => void}} props */
export function Power({ service: s, doing, act }) {
    const blocked = s.busy || doing !== "" || s.status !== "active";
    const list = actions.filter((a) => s.power === "unknown" || a.when === s.power);
    return html`<section class="card">
        <div class="card-head"><h2>${t("power.title")}</h2>${s.power_at && html`<span class="small muted">${t("power.as_of")} <${Ago} at=${s.power_at} /></span>`}</div>
        <div class="card-body"><ul class="log">${list.map((a) => html`<li key=${a.name}>
            <span class="sub" id=${"power-" + a.name}>${t("power." + a.name + "_does")}</span>
            <${Button} kind=${"kind" in a ? a.kind : ""} aria-describedby=${"power-" + a.name} busy=${doing === a.name} disabled=${blocked} onClick=${() => act(a.name, "power", { action: a.name })}>${t("power." + a.name)}<//>
        </li>`)}</ul>
        ${s.status === "suspended" && html`<p class="hint">${t("power.suspended")}</p>`}</div>
    </section>`;
}
