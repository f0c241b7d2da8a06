package stripebox

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// object is a rendered API object.
type object = map[string]any

// apiError is an error answer in Stripe's shape.
type apiError struct {
	status int
	fields object
	// executed says that the request passed validation: Stripe then stores the
	// answer under the idempotency key, otherwise it does not.
	executed bool
}

func (e *apiError) body() []byte { return encode(object{"error": e.fields}) }

// invalid is a 400 about one parameter.
func invalid(param, code, format string, args ...any) *apiError {
	fields := object{"type": "invalid_request_error", "message": fmt.Sprintf(format, args...)}
	if param != "" {
		fields["param"] = param
	}
	if code != "" {
		fields["code"] = code
	}
	return &apiError{status: http.StatusBadRequest, fields: fields}
}

// noSuch is the answer for an id that does not exist: 404 in the path, 400 in a
// parameter.
func noSuch(kind, id, param string, status int) *apiError {
	e := invalid(param, "resource_missing", "No such %s: '%s'", kind, id)
	e.status = status
	return e
}

// refusedNow is a 400 about the state of an object.
func refusedNow(code, format string, args ...any) *apiError {
	e := invalid("", code, format, args...)
	e.executed = true
	return e
}

func unauthorized(message string) *apiError {
	return &apiError{status: http.StatusUnauthorized, fields: object{"type": "invalid_request_error", "message": message}}
}

func encode(v any) []byte {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil { // only maps of plain values are rendered
		panic("stripebox: " + err.Error())
	}
	return append(raw, '\n')
}
