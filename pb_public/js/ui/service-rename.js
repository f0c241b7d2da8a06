import { html, useState } from "../vendor.js";
import { asApiError, patch } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";

/** The service's name, edited in place: Enter keeps it, Escape brings the old one back. @param {{service: any, onSaved: (service: any) => void}} props */
export function Rename({ service, onSaved }) {
    const [editing, setEditing] = useState(false);
    const [value, setValue] = useState("");
    const [problem, setProblem] = useState("");
    const [busy, setBusy] = useState(false);
    const close = () => {
        setEditing(false);
        setProblem("");
    };
    /** @param {Event} event */
    const save = async (event) => {
        event.preventDefault();
        if (busy) return;
        setBusy(true);
        try {
            onSaved(await patch("/services/" + service.id, { label: value.trim() }));
            close();
        } catch (thrown) {
            setProblem(asApiError(thrown).message);
        }
        setBusy(false);
    };
    if (!editing) {
        return html`<div class="actions small muted"><span>${[service.plan?.name, service.label && service.hostname !== service.label && service.hostname].filter(Boolean).join(" · ")}</span>
            <button type="button" class="link" onClick=${() => { setValue(service.label); setEditing(true); }}>${t("service.rename")}</button></div>`;
    }
    return html`<form class="actions" onSubmit=${save}>
        <input class="input" style=${{ inlineSize: "260px" }} aria-label=${t("service.name")} aria-invalid=${problem ? "true" : undefined} value=${value} maxlength="100" ref=${focus}
            onInput=${(/** @type {any} */ e) => setValue(e.target.value)} onKeyDown=${(/** @type {KeyboardEvent} */ e) => e.key === "Escape" && close()} />
        <${Button} type="submit" kind="primary" busy=${busy}>${t("do.save")}<//><${Button} onClick=${close}>${t("do.cancel")}<//>
        <span class="bad" role="alert">${problem}</span>
    </form>`;
}

/** @param {HTMLInputElement | null} input */
function focus(input) {
    if (input && document.activeElement !== input && !input.dataset.seen) {
        input.dataset.seen = "yes";
        input.focus();
        input.select();
    }
}
