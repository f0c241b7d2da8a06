import { html } from "../vendor.js";
import { has, t } from "../lib/i18n.js";
import { Running } from "./time.js";
import { Icon } from "./icons.js";

/** The real steps of a build with their running time. @param {{steps: {name: string, state: string, started_at: string | null, finished_at: string | null, note: string}[]}} props */
export const Steps = ({ steps }) => html`<ol class="steps">
    ${steps.map((step, i) => html`<li key=${step.name} data-state=${step.state} aria-current=${step.state === "active" ? "step" : undefined}>
        <span class="dot" aria-hidden="true">${step.state === "done" ? html`<${Icon} name="done" />` : step.state === "failed" ? html`<${Icon} name="cross" />` : step.state === "waiting" ? i + 1 : null}</span>
        <span class="step-name">${has("step." + step.name) ? t("step." + step.name) : step.name}<span class="sr">, ${t("step_state." + step.state)}</span></span>
        <span class="step-time">${step.started_at && step.state !== "waiting" && html`<${Running} from=${step.started_at} to=${step.finished_at} />`}</span>
        ${step.note && html`<span class="step-note">${step.note}</span>`}
    </li>`)}
</ol>`;
