// What pb_public/vendor/pocketbase.js exports, for the type check alone.
export { default, LocalAuthStore, ClientResponseError } from "pocketbase";
