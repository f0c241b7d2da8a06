package testapp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Answer is an HTTP answer.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
	value  any
}

// Do sends a request to the product. path starts with a slash; body is nil, raw
// text or bytes, a reader, or a value that becomes JSON.
func (a *App) Do(method, path, token string, body any) *Answer {
	a.Helper()
	answer, err := a.Try(method, path, token, body)
	if err != nil {
		a.Fatalf("%s %s: %v", method, path, err)
	}
	return answer
}

// Try is Do for goroutines, which must not end the test.
func (a *App) Try(method, path, token string, body any) (*Answer, error) {
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	case []byte:
		r = bytes.NewReader(b)
	case io.Reader:
		r = b
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			return nil, err
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, a.URL+path, r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	return a.Send(req)
}

// Send sends a prepared request.
func (a *App) Send(req *http.Request) (*Answer, error) {
	resp, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Status: resp.StatusCode, Header: resp.Header, Body: raw}
	_ = json.Unmarshal(raw, &answer.value) // not everything is JSON
	return answer, nil
}

// At returns a member of the JSON answer by its path, such as
// "order.services.0.id"; nil when there is none.
func (r *Answer) At(path string) any {
	v := r.value
	for part := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// Text is At as text; "" when there is none.
func (r *Answer) Text(path string) string {
	if v := r.At(path); v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

// Int is At as a whole number; 0 when there is none.
func (r *Answer) Int(path string) int64 {
	f, _ := r.At(path).(float64)
	return int64(f)
}

// Len is the number of entries of a list.
func (r *Answer) Len(path string) int {
	list, _ := r.At(path).([]any)
	return len(list)
}

// Code is the stable code of a problem answer.
func (r *Answer) Code() string { return r.Text("code") }

// Fields lists the fields that a problem answer names.
func (r *Answer) Fields() []string {
	names := []string{}
	for i := range r.Len("errors") {
		names = append(names, r.Text(fmt.Sprintf("errors.%d.field", i)))
	}
	return names
}

// String shows the answer in a failure message.
func (r *Answer) String() string {
	body := string(r.Body)
	if len(body) > 1500 {
		body = body[:1500] + "…"
	}
	return fmt.Sprintf("%d %s", r.Status, body)
}

// Want fails the test unless the answer has this status, and returns the answer.
func (a *App) Want(status int, r *Answer) *Answer {
	a.Helper()
	if r.Status != status {
		a.Fatalf("got %s, want status %d", r, status)
	}
	return r
}

// Value is the whole JSON answer; nil when it was not JSON.
func (r *Answer) Value() any { return r.value }
