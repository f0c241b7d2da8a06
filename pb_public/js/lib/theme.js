import { signal } from "../vendor.js";

/** The reader's choice: "light", "dark", or "" for what the system says. The server reads the cookie, so no page flashes. */
export const theme = signal(document.documentElement.dataset.theme ?? "");

/** @param {string} choice */
export function chooseTheme(choice) {
    theme.value = choice;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `ez_theme=${choice}; path=/; max-age=${choice ? 31536000 : 0}; samesite=lax${secure}`;
    if (choice) document.documentElement.dataset.theme = choice;
    else delete document.documentElement.dataset.theme;
    document.querySelector('meta[name="color-scheme"]')?.setAttribute("content", choice || "light dark");
}
