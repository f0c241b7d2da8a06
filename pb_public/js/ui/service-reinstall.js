import { html, useEffect, useState } from "../vendor.js";
import { asApiError, get, post } from "../lib/api.js";
import { useForm } from "../lib/form.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Dialog } from "./dialog.js";
import { Field, Summary } from "./field.js";
import { ErrorBox, Loading } from "./states.js";

/** A system installed anew, which deletes everything: asked for in a dialog. @param {{service: any, doing: string, onDone: (service: any) => void}} props */
export function Reinstall({ service: s, doing, onDone }) {
    const [asking, setAsking] = useState(false);
    const blocked = s.busy || s.action !== "" || doing !== "" || s.status !== "active";
    return html`<section class="card">
        <div class="card-head"><h2>${t("reinstall.title")}</h2></div>
        <div class="card-body"><p class="sub" id="reinstall-does">${t("reinstall.does")}</p>
            <div class="actions"><${Button} kind="danger" aria-describedby="reinstall-does" disabled=${blocked} busy=${s.action === "reinstall"} onClick=${() => setAsking(true)}>${t("reinstall.open")}<//></div></div>
        ${asking && html`<${Ask} service=${s} onClose=${() => setAsking(false)} onDone=${(/** @type {any} */ fresh) => { setAsking(false); onDone(fresh); }} />`}
    </section>`;
}

/** What the customer types so that nothing is deleted by a slip. @param {any} s */
const wordOf = (s) => s.hostname || s.label || s.id;

/** @param {{service: any, onClose: () => void, onDone: (service: any) => void}} props */
function Ask({ service: s, onClose, onDone }) {
    const word = wordOf(s);
    const [images, setImages] = useState(/** @type {any[] | null} */ (null));
    const [failed, setFailed] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const form = useForm(() => ({ image: "", confirm: "" }), { confirm: (value) => (value === word ? "" : t("reinstall.rule", { name: word })) });
    const load = async () => {
        setFailed(null);
        try {
            const { items } = await get(`/services/${s.id}/images`);
            form.set("image", (items.find((/** @type {any} */ i) => i.current) ?? items[0])?.id ?? "");
            setImages(items);
        } catch (thrown) {
            setFailed(asApiError(thrown));
        }
    };
    useEffect(() => { load(); }, []);
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async (values) => onDone(await post(`/services/${s.id}/reinstall`, values)));
    };
    return html`<${Dialog} title=${t("reinstall.ask", { name: s.label || word })} closable=${!form.busy.value} onClose=${onClose}>
        <p>${t("reinstall.text")}</p>
        ${failed && html`<${ErrorBox} error=${failed} retry=${load} />`}
        ${!failed && !images && html`<${Loading} heights=${[180]} />`}
        ${images && html`<form class="form" novalidate onSubmit=${submit}>
            <${Summary} form=${form} />
            <${Field} form=${form} name="image" label=${t("reinstall.image")}>${families(images).map(([family, list]) => html`<optgroup key=${family} label=${family}>
                ${list.map((i) => html`<option key=${i.id} value=${i.id} selected=${form.values.value.image === i.id}>${i.name}${i.current ? " – " + t("reinstall.current") : ""}${i.old ? " – " + t("reinstall.old") : ""}</option>`)}</optgroup>`)}<//>
            <${Field} form=${form} name="confirm" label=${t("reinstall.confirm", { name: word })} autocomplete="off" autocapitalize="off" spellcheck=${false} />
            <div class="actions"><${Button} type="submit" kind="danger" busy=${form.busy.value}>${t("reinstall.do")}<//><${Button} disabled=${form.busy.value} onClick=${onClose}>${t("do.cancel")}<//></div>
        </form>`}
        ${failed && html`<div class="actions"><${Button} onClick=${onClose}>${t("do.cancel")}<//></div>`}
    <//>`;
}

/** Images by family, in the platform's order. @param {any[]} images @returns {[string, any[]][]} */
function families(images) {
    /** @type {Map<string, any[]>} */
    const groups = new Map();
    for (const i of images) groups.set(i.family, [...(groups.get(i.family) ?? []), i]);
    return [...groups];
}
