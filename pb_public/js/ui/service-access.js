import { html, useEffect, useState } from "../vendor.js";
import { asApiError, post } from "../lib/api.js";
import { t } from "../lib/i18n.js";
import { Button } from "./button.js";
import { Copy } from "./copy.js";
import { Dialog } from "./dialog.js";
import { Icon } from "./icons.js";
import { mainAddress } from "./service-state.js";

/** How to get in: addresses, command line, password, panel. @param {{service: any, doing: string, act: (word: string, path: string, body?: unknown) => void}} props */
export function Access({ service: s, doing, act }) {
    const ip = mainAddress(s);
    const [asking, setAsking] = useState(false);
    const blocked = s.busy || doing !== "" || s.status !== "active";
    const line = ip && s.credentials?.username && (s.service_type === "vps" || s.service_type === "dedicated") ? `ssh ${s.credentials.username}@${ip}` : "";
    return html`<section class="card">
        <div class="card-head"><h2>${t("access.title")}</h2>${s.abilities.includes("sign_in") && html`<${PanelLink} id=${s.id} disabled=${s.status !== "active"} />`}</div>
        <div class="card-body">
            <dl class="facts">
                ${(s.addresses ?? []).map((/** @type {any} */ a) => html`<div key=${a.ip}><dt>${t(a.ip.includes(":") ? "access.ipv6" : "access.ipv4")}</dt>
                    <dd><span class="value mono">${a.ip}</span><${Copy} value=${a.ip} label=${a.ip} /></dd></div>`)}
                ${line && html`<div><dt>${t("access.ssh")}</dt><dd><span class="value mono">${line}</span><${Copy} value=${line} label=${t("access.ssh")} /></dd></div>`}
                ${s.credentials?.available && html`<${Password} id=${s.id} username=${s.credentials.username} />`}
            </dl>
            ${s.abilities.includes("reset_password") && html`<div class="actions"><${Button} disabled=${blocked} busy=${doing === "reset_password"} onClick=${() => setAsking(true)}>${t("access.reset")}<//></div>`}
        </div>
        ${asking && html`<${Dialog} title=${t("access.reset_title")} onClose=${() => setAsking(false)}>
            <p>${t("access.reset_text")}</p>
            <div class="actions"><${Button} kind="primary" onClick=${() => { setAsking(false); act("reset_password", "reset-password"); }}>${t("access.reset")}<//><${Button} onClick=${() => setAsking(false)}>${t("do.cancel")}<//></div>
        <//>`}
    </section>`;
}

const revealSeconds = 30;

/** The first password: hidden, shown for half a minute on request, copied without being shown. Each of it is recorded. @param {{id: string, username: string}} props */
function Password({ id, username }) {
    const [secret, setSecret] = useState("");
    const [left, setLeft] = useState(0);
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const load = async () => (await post(`/services/${id}/credentials`)).password;
    useEffect(() => {
        if (!secret) return undefined;
        const timer = setInterval(() => setLeft((n) => n - 1), 1000);
        return () => clearInterval(timer);
    }, [secret]);
    useEffect(() => {
        if (secret && left <= 0) setSecret("");
    }, [left]);
    const reveal = async () => {
        if (secret) {
            setSecret("");
            return;
        }
        setBusy(true);
        setProblem("");
        try {
            setSecret(await load());
            setLeft(revealSeconds);
        } catch (thrown) {
            setProblem(asApiError(thrown).message);
        }
        setBusy(false);
    };
    return html`<div><dt>${t("field.user")}</dt><dd><span class="value mono">${username}</span><${Copy} value=${username} label=${t("field.user")} /></dd></div>
        <div><dt>${t("field.password")}</dt><dd>
            <span class=${"value mono" + (secret ? "" : " secret")}>${secret || html`<span aria-hidden="true">••••••••••••</span><span class="sr">${t("access.hidden")}</span>`}</span>
            <${Copy} value=${secret || load} label=${t("field.password")} />
            <${Button} kind="quiet" busy=${busy} onClick=${reveal}>${secret ? t("access.hide", { seconds: left }) : t("do.show")}<//>
            <span class="bad" role="alert">${problem}</span>
        </dd></div>`;
}

/**
 * Opens the panel signed in, in a tab of its own. The tab opens at the press, before the address is known, or the browser
 * would take it for an advertisement.
 * @param {{id: string, disabled: boolean}} props
 */
function PanelLink({ id, disabled }) {
    const [busy, setBusy] = useState(false);
    const [problem, setProblem] = useState("");
    const [url, setUrl] = useState("");
    const open = async () => {
        const tab = window.open("about:blank", "_blank");
        setBusy(true);
        setProblem("");
        try {
            const answer = await post(`/services/${id}/sign-in`);
            if (tab) {
                tab.opener = null;
                tab.location.replace(answer.url);
            } else setUrl(answer.url);
        } catch (thrown) {
            tab?.close();
            setProblem(asApiError(thrown).message);
        }
        setBusy(false);
    };
    return html`<span class="actions">
        <span class="bad small" role="alert">${problem}</span>
        ${url ? html`<a class="btn" href=${url} target="_blank" rel="noopener noreferrer"><${Icon} name="open" />${t("access.panel_here")}</a>`
            : html`<${Button} busy=${busy} disabled=${disabled} onClick=${open}><${Icon} name="open" />${t("access.panel")}<span class="sr"> ${t("nav.new_tab")}</span><//>`}
    </span>`;
}
