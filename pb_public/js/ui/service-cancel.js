import { html, useMemo, useState } from "../vendor.js";
import { post } from "../lib/api.js";
import { useForm } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";
import { Field, Summary } from "./field.js";
import { Day } from "./time.js";

const reasons = ["too_expensive", "not_needed", "missing", "unreliable", "support", "other"];

/** Ending a service: when, and, for who wants to say so, why. @param {{service: any, subscription: any, onClose: () => void, onDone: (subscription: any) => void}} props */
export function Cancel({ service: s, subscription, onClose, onDone }) {
    const [at, setAt] = useState("period_end");
    const [reason, setReason] = useState("");
    const key = useMemo(() => crypto.randomUUID(), []);
    const form = useForm(() => ({ comment: "" }), {});
    const last = subscription.current_period?.end;
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async (values) => onDone(await post(`/subscriptions/${subscription.id}/cancel`, { at, reason, comment: values.comment, client_key: key })));
    };
    return html`<${Dialog} title=${t("cancel.title", { name: s.label || s.hostname || s.plan.name })} closable=${!form.busy.value} onClose=${onClose}>
        <form class="form" novalidate onSubmit=${submit}>
            <${Summary} form=${form} />
            <fieldset><legend class="label">${t("cancel.when")}</legend><div class="radios">
                <label class="radio"><input type="radio" name="at" value="period_end" checked=${at === "period_end"} onChange=${() => setAt("period_end")} /><span><span class="strong">${t("cancel.end")}</span><br /><span class="muted small">${last ? html`${t("cancel.last")} <${Day} at=${last} />. ${t("cancel.end_text")}` : t("cancel.end_text")}</span></span></label>
                <label class="radio"><input type="radio" name="at" value="now" checked=${at === "now"} onChange=${() => setAt("now")} /><span><span class="strong">${t("cancel.now")}</span><br /><span class="muted small">${t("cancel.now_text")}</span></span></label>
            </div></fieldset>
            <fieldset><legend class="label">${t("cancel.why")} <span class="opt">${t("form.optional")}</span></legend><div class="radios">${reasons.map((r) => html`<label class="radio" key=${r}>
                <input type="radio" name="reason" value=${r} checked=${reason === r} onChange=${() => setReason(r)} /><span>${t("cancel.reason_" + r)}</span></label>`)}</div></fieldset>
            <${Field} form=${form} name="comment" label=${t("cancel.comment")} optional=${true} maxlength="500" autocomplete="off" />
            <div class="actions"><${Button} type="submit" kind="danger" busy=${form.busy.value}>${t(at === "now" ? "cancel.do_now" : "cancel.do")}<//><${Button} disabled=${form.busy.value} onClick=${onClose}>${t("cancel.stay")}<//></div>
        </form>
    <//>`;
}
