// Package httpclient is net/http over the capability `http`: what takes a *http.Client takes this one.
package httpclient

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	nethttp "net/http"
	"slices"
	"strings"
	"time"

	"windlass"
	"windlass/http"
	"windlass/value"
)

// New gives a client. It follows redirects as any other, and each of them has to be granted.
func New() *nethttp.Client { return &nethttp.Client{Transport: Transport{}} }

// mark begins a header's value that is the name of a secret. No header that is sent can have this character.
const mark = "\x00secret:"

// Secret is the value of a header that is a secret: request.Header.Set("Authorization", Secret("api-token")). The
// host puts it in.
func Secret(name string) string { return mark + name }

// Transport sends requests through the host.
type Transport struct {
	// MaxBody is the largest body to accept; 1 MiB if it is 0, 16 MiB at most.
	MaxBody uint64
	// Timeout is how long a request may take; half a minute if it is 0.
	Timeout time.Duration
}

// RoundTrip sends a request and reads the whole answer.
func (t Transport) RoundTrip(request *nethttp.Request) (*nethttp.Response, error) {
	ask := http.Request{Method: request.Method, URL: request.URL.String()}
	if ask.Method == "" {
		ask.Method = nethttp.MethodGet
	}
	// In an order that is the same when the step is replayed.
	for _, name := range slices.Sorted(maps.Keys(request.Header)) {
		for _, text := range request.Header[name] {
			header := value.Plain(text)
			if secret, ok := strings.CutPrefix(text, mark); ok {
				header = value.Secret(secret)
			}
			ask.Headers = append(ask.Headers, value.Named(name, header))
		}
	}
	if request.Body != nil {
		body, err := io.ReadAll(request.Body)
		request.Body.Close()
		if err != nil {
			return nil, fmt.Errorf("the body of the request: %w", err)
		}
		if len(body) > 0 {
			ask.Body = body
		}
	}
	if t.MaxBody > 0 {
		ask.MaxBody = windlass.Ptr(t.MaxBody)
	}
	if limit := t.limit(request); limit > 0 {
		ask.TimeoutMs = windlass.Ptr(windlass.Millis(limit))
	}
	answer, err := http.Send(ask)
	if err != nil {
		return nil, err
	}
	response := &nethttp.Response{
		Status:        fmt.Sprintf("%d %s", answer.Status, nethttp.StatusText(int(answer.Status))),
		StatusCode:    int(answer.Status),
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        nethttp.Header{},
		Body:          io.NopCloser(bytes.NewReader(answer.Body)),
		ContentLength: int64(len(answer.Body)),
		Request:       request,
	}
	for _, header := range answer.Headers {
		response.Header.Add(header.Name, header.Value)
	}
	return response, nil
}

// limit is the shorter of the transport's own and what is left until the request's deadline.
func (t Transport) limit(request *nethttp.Request) time.Duration {
	limit := t.Timeout
	if deadline, ok := request.Context().Deadline(); ok {
		if left := max(time.Until(deadline), time.Millisecond); limit == 0 || left < limit {
			limit = left
		}
	}
	return limit
}
