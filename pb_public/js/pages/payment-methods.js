import { html, useEffect, useState } from "../vendor.js";
import { asApiError, get, post, put, remove } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { place, safeNext } from "../lib/router.js";
import { useResource } from "../lib/store.js";
import { toast } from "../lib/toast.js";
import { Button } from "../ui/button.js";
import { Dialog } from "../ui/dialog.js";
import { Method, methodName, validUntil } from "../ui/method.js";
import { Heading } from "../ui/page.js";
import { Empty, ErrorBox, Loaded } from "../ui/states.js";

/** What is saved to pay by, what each pays for, and how to add another without paying. */
export default function PaymentMethods() {
    const methods = useResource("payment-methods", (signal) => get("/payment-methods", { signal }), ["payment_methods", "services"]);
    return html`<div class="page">
        <${Heading} title=${t("methods.title")} section=${t("nav.billing")} crumb=${html`<a href="/portal/invoices">${t("nav.billing")}</a>`} />
        <${Returned} onDone=${() => methods.refresh()} />
        <${Loaded} of=${methods} heights=${[160, 120]}>${(/** @type {any} */ d) => html`<${Body} data=${d} put=${(/** @type {any} */ fresh) => methods.put(fresh)} />`}<//>
    </div>`;
}

/** Seconds between two looks at what was saved. */
const lookEvery = [0, 1, 2, 3, 5, 8, 13, 30];

/** What is said to somebody who comes back from the provider's page. @param {{onDone: () => void}} props */
function Returned({ onDone }) {
    const id = place.value.query.get("setup");
    const cancelled = place.value.query.get("cancelled");
    const [setup, setSetup] = useState(/** @type {any} */ (null));
    const [looks, setLooks] = useState(0);
    const open = id && (!setup || setup.state === "open") && looks < (cancelled ? 1 : lookEvery.length);
    useEffect(() => {
        if (!open) return undefined;
        const end = setTimeout(async () => {
            try {
                const now = await post(`/payment-methods/setups/${encodeURIComponent(id)}/check`);
                setSetup(now);
                if (now.state === "done") onDone();
            } catch { /* asked again, and the timer on the server asks as well */ }
            setLooks(looks + 1);
        }, 1000 * lookEvery[looks]);
        return () => clearTimeout(end);
    }, [open, looks]);
    if (!id) return null;
    if (setup?.state === "done") {
        return html`<div class="notice" role="status" data-kind="ok"><p>${t("methods.done")}</p>${setup.back && html`<a class="btn primary" href=${safeNext(setup.back)}>${t("methods.go_on")}</a>`}</div>`;
    }
    const text = open && !cancelled ? "methods.checking" : cancelled ? "methods.came_back" : "methods.not_saved";
    return html`<div class="notice" role="status" data-kind=${text === "methods.checking" ? "" : "warn"}><p>${t(text)}</p></div>`;
}

/** Refusals that have words of the portal's own. @type {Record<string, string>} */
const refusals = { method_busy: "methods.busy", setup_refused: "methods.add_refused", setup_unavailable: "methods.add_unavailable" };

/** @param {unknown} thrown */
function inWords(thrown) {
    const error = asApiError(thrown);
    if (refusals[error.code]) error.message = t(refusals[error.code]);
    return error;
}

/** @param {{data: any, put: (fresh: any) => void}} props */
function Body({ data, put: keep }) {
    const [busy, setBusy] = useState("");
    const [error, setError] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const [asking, setAsking] = useState(/** @type {any} */ (null));
    /**
     * Does one thing at a time; the answer is the new list.
     * @param {string} word @param {() => Promise<any>} run @param {string} said
     */
    const act = async (word, run, said) => {
        if (busy) return;
        setBusy(word);
        setError(null);
        try {
            keep(await run());
            toast(said);
        } catch (thrown) {
            setError(inWords(thrown));
        }
        setBusy("");
    };
    return html`${error && html`<${ErrorBox} error=${error} title=${t("methods.not_done")} />`}
        <div class="split">
            <div class="stack">
                <section class="card">${data.items.length === 0
                    ? html`<${Empty} title=${t("methods.none_title")}><p>${t("methods.none")}</p><//>`
                    : html`<${Table} items=${data.items} busy=${busy} onRemove=${setAsking}
                        onDefault=${(/** @type {any} */ m) => act("default" + m.id, () => post(`/payment-methods/${m.id}/default`), t("methods.default_set", { method: methodName(m) }))} />`}</section>
                ${data.items.length > 1 && data.services.length > 0 && html`<${Services} data=${data} busy=${busy} act=${act} />`}
            </div>
            <${Add} ways=${data.add} />
        </div>
        ${asking && html`<${Remove} method=${asking} data=${data} onClose=${() => setAsking(null)}
            onYes=${() => { setAsking(null); act("remove" + asking.id, () => remove(`/payment-methods/${asking.id}`), t("methods.removed", { method: methodName(asking) })); }} />`}`;
}

/** @param {{items: any[], busy: string, onDefault: (m: any) => void, onRemove: (m: any) => void}} props */
const Table = ({ items, busy, onDefault, onRemove }) => html`<table class="table cards">
    <caption class="sr">${t("methods.saved")}</caption>
    <thead><tr><th scope="col">${t("methods.method")}</th><th scope="col">${t("methods.expires")}</th><th scope="col">${t("methods.pays")}</th><th scope="col"><span class="sr">${t("methods.remove")}</span></th></tr></thead>
    <tbody>${items.map((m) => html`<tr key=${m.id}>
        <td><span><span class="strong"><${Method} method=${m} /></span>${m.is_default && html` <span class="tag">${t("methods.default")}</span>`}</span></td>
        <td data-label=${t("methods.expires")} class="num">${m.exp_year ? html`<span>${validUntil(m)}${m.expired && html` <span class="bad">${t("methods.expired")}</span>`}</span>` : "–"}</td>
        <td data-label=${t("methods.pays")}>${m.pays.length > 0 ? m.pays.map((/** @type {any} */ s) => s.name).join(", ") : html`<span class="muted">${t("methods.pays_none")}</span>`}</td>
        <td data-label="" class="end"><span class="actions" style=${{ flexWrap: "nowrap", justifyContent: "end" }}>
            ${!m.is_default && html`<${Button} busy=${busy === "default" + m.id} disabled=${busy !== ""} onClick=${() => onDefault(m)} aria-label=${t("methods.make_default_of", { method: methodName(m) })}>${t("methods.make_default")}<//>`}
            <${Button} kind="quiet" busy=${busy === "remove" + m.id} disabled=${busy !== ""} onClick=${() => onRemove(m)} aria-label=${t("methods.remove_of", { method: methodName(m) })}>${t("methods.remove")}<//>
        </span></td>
    </tr>`)}</tbody>
</table>`;

/** One choice for each service that renews by itself. @param {{data: any, busy: string, act: (word: string, run: () => Promise<any>, said: string) => void}} props */
function Services({ data, busy, act }) {
    const first = data.items.find((/** @type {any} */ m) => m.is_default) ?? data.items[0];
    /** @param {any} s @param {string} method */
    const choose = (s, method) => {
        const by = data.items.find((/** @type {any} */ m) => m.id === method) ?? first;
        act("choose" + s.subscription, () => put(`/subscriptions/${s.subscription}/payment-method`, { method }), t("methods.chosen", { service: s.name, method: methodName(by) }));
    };
    return html`<section class="card">
        <div class="card-head"><h2>${t("methods.services")}</h2></div>
        <div class="card-body form">
            <p class="muted">${t("methods.services_text")}</p>
            ${data.services.map((/** @type {any} */ s) => html`<div class="field" key=${s.subscription}>
                <label for=${"pays-" + s.subscription}>${s.name}</label>
                <select class="input" id=${"pays-" + s.subscription} disabled=${busy !== ""} onChange=${(/** @type {any} */ e) => choose(s, e.target.value)}>
                    <option value="" selected=${s.method === ""}>${t("methods.by_default", { method: methodName(first) })}</option>
                    ${data.items.map((/** @type {any} */ m) => html`<option value=${m.id} selected=${s.method === m.id}>${methodName(m)}</option>`)}
                </select></div>`)}
        </div>
    </section>`;
}

/** What follows from removing, before it happens; where it cannot be, why and what can be done instead. @param {{method: any, data: any, onClose: () => void, onYes: () => void}} props */
function Remove({ method: m, data, onClose, onYes }) {
    const others = data.items.filter((/** @type {any} */ o) => o.id !== m.id);
    const services = m.pays.map((/** @type {any} */ s) => s.name).join(", ");
    if (others.length === 0 && services) {
        return html`<${Dialog} title=${t("methods.remove_title", { method: methodName(m) })} onClose=${onClose}>
            <p>${t("methods.needed", { services })}</p>
            <div class="actions"><${Button} onClick=${onClose}>${t("do.close")}<//></div><//>`;
    }
    const next = others.find((/** @type {any} */ o) => o.is_default) ?? others[0];
    return html`<${Dialog} title=${t("methods.remove_title", { method: methodName(m) })} onClose=${onClose}>
        <p>${t("methods.remove_text")}</p>
        ${services && html`<p>${t("methods.remove_moves", { other: methodName(next), services })}</p>`}
        <div class="actions"><${Button} kind="primary" onClick=${onYes}>${t("methods.remove")}<//><${Button} onClick=${onClose}>${t("do.cancel")}<//></div>
    <//>`;
}

/** @param {{ways: any[]}} props */
function Add({ ways }) {
    const [busy, setBusy] = useState("");
    const [error, setError] = useState(/** @type {import("../lib/api.js").ApiError | null} */ (null));
    const back = place.value.query.get("back");
    /** @param {string} gateway */
    const open = async (gateway) => {
        if (busy) return;
        setBusy(gateway);
        setError(null);
        try {
            const { url } = await post("/payment-methods/setups", { gateway, ...(back ? { back: safeNext(back) } : {}) });
            location.assign(url);
            setTimeout(() => setBusy(""), 8000);
        } catch (thrown) {
            setError(inWords(thrown));
            setBusy("");
        }
    };
    return html`<section class="card">
        <div class="card-head"><h2>${t("methods.add_title")}</h2></div>
        <div class="card-body">
            ${error && html`<${ErrorBox} error=${error} title=${t("methods.not_done")} />`}
            <p class="muted">${t(ways.length > 0 ? "methods.add_text" : "methods.add_none")}</p>
            <div class="actions">${ways.map((w) => html`<${Button} key=${w.gateway} busy=${busy === w.gateway} disabled=${busy !== ""} onClick=${() => open(w.gateway)}>${t("methods.add", { method: w.label })}<//>`)}</div>
        </div>
    </section>`;
}
