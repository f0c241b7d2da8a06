import { html, useMemo } from "../vendor.js";
import { asApiError, patch } from "../lib/api.js";
import { loadMe } from "../lib/account.js";
import { countries } from "../lib/countries.js";
import { requiredRule, useForm } from "../lib/form.js";
import { chooseLanguage, language, languageNames, t } from "../lib/i18n.js";
import { requestReset, requestVerification, signOut } from "../lib/session.js";
import { useResource } from "../lib/store.js";
import { chooseTheme, theme } from "../lib/theme.js";
import { toast } from "../lib/toast.js";
import { Button } from "../ui/button.js";
import { Field, Summary } from "../ui/field.js";
import { Heading } from "../ui/page.js";
import { Segments } from "../ui/plan-picker.js";
import { Loaded } from "../ui/states.js";

const profileFields = /** @type {const} */ (["company", "street", "postcode", "city", "region", "country", "tax_id", "phone"]);

/** Who the customer is, where invoices go, and how the portal looks to them. */
export default function Account() {
    const me = useResource("me", loadMe, ["users"]);
    return html`<div class="page">
        <${Heading} title=${t("nav.account")} />
        <${Loaded} of=${me} heights=${[360]}>${(/** @type {any} */ m) => html`<div class="split">
            <${Profile} me=${m} onSaved=${(/** @type {any} */ saved) => { me.put(saved); toast(t("account.saved")); }} />
            <div class="stack"><${Look} me=${m} /><${SignIn} me=${m} /></div>
        </div>`}<//>
    </div>`;
}

/** @param {{me: any, onSaved: (me: any) => void}} props */
function Profile({ me, onSaved }) {
    const form = useForm(() => ({ name: me.name ?? "", time_zone: me.time_zone ?? "", ...Object.fromEntries(profileFields.map((f) => [f, me.profile?.[f] ?? ""])) }), { name: requiredRule("rule.name") });
    const lands = useMemo(countries, []);
    const zones = useMemo(() => [...new Set(["UTC", ...(me.time_zone ? [me.time_zone] : []), ...Intl.supportedValuesOf("timeZone")])].sort(), []);
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async ({ name, time_zone, ...profile }) => onSaved(await patch("/me", { name: name.trim(), time_zone, profile })),
            Object.fromEntries(profileFields.map((f) => ["profile." + f, f])));
    };
    /** @param {string} name @param {string} autocomplete @param {any} [more] */
    const field = (name, autocomplete, more = {}) => html`<${Field} form=${form} name=${name} label=${t("field." + name)} optional=${true} mark=${false} autocomplete=${autocomplete} ...${more} />`;
    return html`<section class="card"><div class="card-head"><h2>${t("account.profile")}</h2></div><div class="card-body">
        <form class="form" novalidate onSubmit=${submit}>
            <${Summary} form=${form} />
            <div class="row2"><${Field} form=${form} name="name" label=${t("field.name")} autocomplete="name" />${field("company", "organization")}</div>
            ${field("street", "street-address")}
            <div class="row2">${field("postcode", "postal-code")}${field("city", "address-level2")}</div>
            <div class="row2">${field("region", "address-level1")}
                <${Field} form=${form} name="country" label=${t("field.country")} optional=${true} mark=${false} autocomplete="country">
                    <option value="">${t("account.choose")}</option>${lands.map((c) => html`<option value=${c.code} selected=${form.values.value.country === c.code}>${c.name}</option>`)}<//></div>
            ${field("tax_id", "off", { hint: t("account.tax_hint") })}
            <div class="row2">${field("phone", "tel", { type: "tel" })}
            <${Field} form=${form} name="time_zone" label=${t("field.time_zone")} optional=${true} mark=${false}>
                <option value="">${t("account.zone_browser")}</option>${zones.map((z) => html`<option value=${z} selected=${form.values.value.time_zone === z}>${z.replaceAll("_", " ")}</option>`)}<//></div>
            <div><${Button} type="submit" kind="primary" busy=${form.busy.value}>${t("account.save")}<//></div>
        </form></div></section>`;
}

/** @param {{me: any}} props */
const Look = ({ me }) => html`<section class="card"><div class="card-head"><h2>${t("account.look")}</h2></div><div class="card-body">
    <div class="field"><span class="label" aria-hidden="true">${t("account.theme")}</span>
        <${Segments} legend=${t("account.theme")} name="theme" value=${theme.value} onPick=${chooseTheme}
            options=${["", "light", "dark"].map((v) => ({ value: v, label: t("theme." + (v || "system")) }))} /></div>
    <div class="field"><span class="label" aria-hidden="true">${t("account.language")}</span>
        <${Segments} legend=${t("account.language")} name="language" value=${language} onPick=${(/** @type {string} */ code) => patch("/me", { name: me.name, locale: code }).catch(() => {}).then(() => chooseLanguage(code))}
            options=${languageNames.map((l) => ({ value: l.code, label: l.name }))} /></div>
</div></section>`;

/** @param {{me: any}} props */
function SignIn({ me }) {
    /** @param {(email: string) => Promise<any>} ask @param {string} key */
    const send = (ask, key) => ask(me.email).then(() => toast(t(key, { email: me.email })), (e) => toast(asApiError(e).message, { kind: "bad" }));
    return html`<section class="card"><div class="card-head"><h2>${t("account.sign_in")}</h2></div><div class="card-body">
        <dl class="facts"><div><dt>${t("field.email")}</dt><dd><span class="value">${me.email}</span></dd></div>
            <div><dt>${t("account.confirmed")}</dt><dd>${me.verified ? html`<span class="ok">✓ ${t("account.yes")}</span>` : html`<span class="warn">${t("account.not_yet")}</span> <button type="button" class="link" onClick=${() => send(requestVerification, "check_mail.sent_again")}>${t("check_mail.again")}</button>`}</dd></div></dl>
        <div class="actions"><${Button} onClick=${() => send(requestReset, "account.reset_sent")}>${t("account.change_password")}<//><${Button} onClick=${signOut}>${t("sign_out")}<//></div>
        <p class="hint">${t("account.password_hint")}</p>
    </div></section>`;
}
