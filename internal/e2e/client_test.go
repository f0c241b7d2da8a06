package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// client calls the product's API with a token.
type client struct {
	site, token string
}

var httpClient = &http.Client{Timeout: 20 * time.Second}

// refusal is an answer that is no success.
type refusal struct {
	call   string
	status int
	body   string
}

// Error shows the answer.
func (r *refusal) Error() string { return fmt.Sprintf("%s answered %d: %s", r.call, r.status, r.body) }

// call sends in as JSON, unless it is nil, and decodes the answer into out,
// unless that is nil. Errors: *refusal, and those of the connection.
func (c client) call(ctx context.Context, method, path string, in, out any) error {
	body := io.Reader(http.NoBody)
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.site+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", c.token)
	res, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return err
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return &refusal{method + " " + path, res.StatusCode, string(raw)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(raw, out)
}

// row is a record as staff reads it.
type row map[string]any

func (r row) text(field string) string { return fmt.Sprint(r[field]) }

func (r row) number(field string) int64 {
	n, _ := r[field].(float64)
	return int64(n)
}

// rows reads the records of a collection that a filter lets through, as staff.
func (c client) rows(ctx context.Context, collection, filter string) ([]row, error) {
	page := struct {
		Items []row `json:"items"`
	}{}
	query := url.Values{"perPage": {"500"}, "filter": {filter}}
	err := c.call(ctx, http.MethodGet, "/api/collections/"+collection+"/records?"+query.Encode(), nil, &page)
	return page.Items, err
}

// none returns an error that shows the first record which a filter lets through.
func (c client) none(ctx context.Context, collection, filter string) error {
	found, err := c.rows(ctx, collection, filter)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%d %s, the first is %v", len(found), collection, found[0])
	}
	return err
}

// signIn returns a client with the token of an account.
func (c client) signIn(ctx context.Context, collection, email, password string) (client, error) {
	auth := struct {
		Token string `json:"token"`
	}{}
	err := c.call(ctx, http.MethodPost, "/api/collections/"+collection+"/auth-with-password", map[string]string{"identity": email, "password": password}, &auth)
	return client{c.site, auth.Token}, err
}
