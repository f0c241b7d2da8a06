package paypalbox

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// object is a rendered API object.
type object = map[string]any

// apiError is an error answer in PayPal's shape.
type apiError struct {
	status int
	name   string
	issue  string
	field  string // a JSON pointer, "" for none
	text   string
	links  []object
	// remember says that the request was valid and refused by a business rule:
	// the answer is then kept under its PayPal-Request-Id.
	remember bool
}

var messages = map[string]string{
	"INVALID_REQUEST":        "Request is not well-formed, syntactically incorrect, or violates schema.",
	"UNPROCESSABLE_ENTITY":   "The requested action could not be performed, semantically incorrect, or failed business validation.",
	"RESOURCE_NOT_FOUND":     "The specified resource does not exist.",
	"AUTHENTICATION_FAILURE": "Authentication failed due to invalid authentication credentials or a missing Authorization header.",
	"NOT_AUTHORIZED":         "Authorization failed due to insufficient permissions.",
}

func (e *apiError) body(debug string) []byte {
	o := object{"name": e.name, "message": messages[e.name], "debug_id": debug, "links": []object{}}
	if e.links != nil {
		o["links"] = e.links
	}
	if e.issue != "" {
		detail := object{"issue": e.issue, "description": e.text}
		if e.field != "" {
			detail["field"], detail["location"] = e.field, "body"
		}
		o["details"] = []object{detail}
	}
	return encode(o)
}

// invalid is a 400 about one field.
func invalid(field, issue, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, name: "INVALID_REQUEST", issue: issue, field: field, text: fmt.Sprintf(format, args...)}
}

// refused is a 422: a business rule says no.
func refused(issue, format string, args ...any) *apiError {
	return &apiError{status: http.StatusUnprocessableEntity, name: "UNPROCESSABLE_ENTITY", issue: issue, text: fmt.Sprintf(format, args...), remember: true}
}

func notFound(what string) *apiError {
	return &apiError{status: http.StatusNotFound, name: "RESOURCE_NOT_FOUND", issue: "INVALID_RESOURCE_ID", text: "Specified resource ID does not exist: " + what + "."}
}

func unauthorized() *apiError {
	return &apiError{status: http.StatusUnauthorized, name: "AUTHENTICATION_FAILURE"}
}

func encode(v any) []byte {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // only maps of plain values are rendered
		panic("paypalbox: " + err.Error())
	}
	return append(raw, '\n')
}
