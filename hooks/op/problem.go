package op

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/security"

	"github.com/ezscale/ezscale/collections"
)

// Problem is an error for people and programs (RFC 9457). Detail is a sentence
// a customer may read; the cause is for the log alone.
type Problem struct {
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	Reference string       `json:"reference"`
	Errors    []FieldError `json:"errors"`

	cause error
}

// FieldError names a field of the input and what to do about it.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
	Code    string `json:"code"`
}

// Error is for the log.
func (p *Problem) Error() string {
	if p.cause != nil {
		return p.Detail + ": " + p.cause.Error()
	}
	return p.Detail
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// Because attaches the cause, for the log.
func (p *Problem) Because(err error) *Problem {
	p.cause = err
	return p
}

// NewProblem makes a problem with a stable code.
func NewProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: []FieldError{}}
}

// NotFound is the same answer for what does not exist and what is not yours.
func NotFound() *Problem {
	return NewProblem(http.StatusNotFound, "not_found", "There is nothing here, or it is not yours.")
}

// Fields collects what is wrong with an input.
type Fields []FieldError

// Add notes a fault.
func (f *Fields) Add(field, code, message string) {
	*f = append(*f, FieldError{field, message, code})
}

// Check notes a fault unless ok.
func (f *Fields) Check(ok bool, field, code, message string) {
	if !ok {
		f.Add(field, code, message)
	}
}

// Problem returns nil when nothing is wrong.
func (f Fields) Problem() error {
	if len(f) == 0 {
		return nil
	}
	p := NewProblem(http.StatusUnprocessableEntity, "invalid", f[0].Message)
	p.Errors = f
	return p
}

// toProblem gives every error an answer; what nobody foresaw is a 500 with a
// reference that support can look up in the log.
func toProblem(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if errors.Is(err, collections.ErrNotYours) {
		return NotFound().Because(err)
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return NewProblem(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("The request is larger than the %d bytes allowed here.", tooLarge.Limit))
	}
	var api *router.ApiError
	if errors.As(err, &api) {
		code := map[int]string{401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "too_large", 429: "too_many_requests"}[api.Status]
		if code == "" {
			code = "refused"
		}
		return NewProblem(api.Status, code, api.Message).Because(err)
	}
	return NewProblem(http.StatusInternalServerError, "internal", "Something went wrong on our side. Nothing was half-done; please try again, or tell support the reference.").Because(err)
}

// answer writes a problem and logs it once, where it stops.
func answer(e *core.RequestEvent, err error) error {
	p := *toProblem(err)
	p.Reference = security.RandomStringWithAlphabet(8, "abcdefghjkmnpqrstuvwxyz23456789")
	attrs := []any{slog.String("reference", p.Reference), slog.String("path", e.Request.URL.Path), slog.Int("status", p.Status), slog.String("code", p.Code)}
	if p.cause != nil {
		attrs = append(attrs, slog.String("cause", p.cause.Error()))
	}
	if p.Status >= http.StatusInternalServerError {
		e.App.Logger().Error("Operation failed", attrs...)
	} else {
		e.App.Logger().Debug("Operation refused", attrs...)
	}
	e.Response.Header().Set("Content-Type", "application/problem+json")
	e.Response.Header().Set("Cache-Control", "no-store")
	e.Response.WriteHeader(p.Status)
	return json.MarshalWrite(e.Response, p)
}

// write answers with JSON.
func write(r *Request, status int, out any) error {
	if _, nothing := out.(None); nothing {
		return r.NoContent(http.StatusNoContent)
	}
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode answer of %s: %w", r.Op.ID, err)
	}
	r.Response.Header().Set("Content-Type", "application/json")
	r.Response.Header().Set("Cache-Control", "no-store")
	r.Response.WriteHeader(status)
	_, err = r.Response.Write(body)
	return err
}
