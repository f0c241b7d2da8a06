import { html, useState } from "../vendor.js";
import { ApiError, asApiError } from "../lib/api.js";
import { emailRule, passwordMin, passwordRule, useForm } from "../lib/form.js";
import { rich, t } from "../lib/i18n.js";
import { place } from "../lib/router.js";
import { confirmReset, requestReset, signOut } from "../lib/session.js";
import { Button } from "../ui/button.js";
import { Field, Summary } from "../ui/field.js";
import { Heading } from "../ui/page.js";

/** A forgotten password: without a token asks for the address, with one for the new password. */
export default function Reset() {
    const token = place.value.query.get("token");
    return html`<div class="page narrow">${token ? html`<${NewPassword} token=${token} />` : html`<${AskAddress} />`}</div>`;
}

function AskAddress() {
    const [sent, setSent] = useState("");
    const form = useForm(() => ({ email: "" }), { email: emailRule });
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async ({ email }) => {
            await requestReset(email.trim());
            setSent(email.trim());
        });
    };
    if (sent) {
        return html`<${Heading} title=${t("check_mail.title")} />
            <p role="status">${rich("reset.sent", { email: html`<strong>${sent}</strong>` })}</p>
            <a href="/portal/sign-in">${t("reset.back")}</a>`;
    }
    return html`<${Heading} title=${t("reset.title")} />
        <p class="muted">${t("reset.text")}</p>
        <form class="form" novalidate onSubmit=${submit}>
            <${Summary} form=${form} />
            <${Field} form=${form} name="email" label=${t("field.email")} type="email" autocomplete="username" />
            <${Button} type="submit" kind="primary" class="big" busy=${form.busy.value}>${t("reset.do")}<//>
        </form>
        <a href="/portal/sign-in">${t("reset.back")}</a>`;
}

/** @param {{token: string}} props */
function NewPassword({ token }) {
    const [done, setDone] = useState(false);
    const form = useForm(() => ({ password: "" }), { password: passwordRule });
    /** @param {Event} event */
    const submit = (event) => {
        event.preventDefault();
        form.send(async ({ password }) => {
            try {
                await confirmReset(token, password);
            } catch (thrown) {
                const error = asApiError(thrown);
                if (error.status === 400 && !error.fields.some((f) => f.field === "password")) throw new ApiError(t("reset.invalid"), { status: 400 });
                throw error;
            }
            signOut();
            setDone(true);
        });
    };
    if (done) {
        return html`<${Heading} title=${t("reset.done_title")} />
            <p role="status">${t("reset.done")}</p>
            <a class="btn primary" href="/portal/sign-in">${t("sign_in.do")}</a>`;
    }
    return html`<${Heading} title=${t("reset.new_title")} />
        <form class="form" novalidate onSubmit=${submit}>
            <${Summary} form=${form} />
            <${Field} form=${form} name="password" label=${t("field.new_password")} type="password" autocomplete="new-password"
                hint=${t("sign_up.password_hint", { min: passwordMin })} />
            <${Button} type="submit" kind="primary" class="big" busy=${form.busy.value}>${t("reset.set")}<//>
        </form>`;
}
