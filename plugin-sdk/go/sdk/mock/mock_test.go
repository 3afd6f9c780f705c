package mock_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"

	"windlass/docker"
	"windlass/http"
	"windlass/httpclient"
	"windlass/log"
	"windlass/logger"
	"windlass/mock"
	"windlass/value"

	nethttp "net/http"
)

func TestCallsAreAnswered(t *testing.T) {
	t.Run("mocked", func(t *testing.T) {
		mock.Answer(t, "docker.inspect", func(container string) (docker.Container, error) {
			return docker.Container{Name: container, Ports: []docker.Published{{Address: "0.0.0.0", Host: 8080}}}, nil
		})
		container, err := docker.Inspect("web")
		if err != nil || container.Name != "web" || container.HostPort() != "127.0.0.1:8080" {
			t.Errorf("%+v, %v", container, err)
		}
	})
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "docker.inspect is called") {
			t.Errorf("%q", said)
		}
	}()
	_, _ = docker.Inspect("web")
}

func TestOrdinaryClientsWork(t *testing.T) {
	mock.Answer(t, "http.send", func(request http.Request) (http.Response, error) {
		if request.URL != "https://example.com/a?b" || string(request.Body) != "ping" || request.TimeoutMs != nil {
			t.Errorf("%+v", request)
		}
		for _, header := range request.Headers {
			if header.Name == "Authorization" && (!header.Value.IsSecret || header.Value.Text != "token") {
				t.Errorf("%+v", header)
			}
		}
		headers := []value.Pair{{Name: "x-a", Value: "1"}}
		return http.Response{Status: 201, Headers: headers, Body: []byte("pong")}, nil
	})
	request, err := nethttp.NewRequestWithContext(context.Background(), "POST", "https://example.com/a?b", strings.NewReader("ping"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", httpclient.Secret("token"))
	response, err := httpclient.New().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 201 || response.Header.Get("X-A") != "1" || string(body) != "pong" {
		t.Errorf("%+v, %s, %v", response, body, err)
	}
}

func TestTheLoggerWritesToTheStepsLog(t *testing.T) {
	var lines []string
	mock.Answer(t, "log.log", func(level log.Level, message string) {
		lines = append(lines, level.String()+": "+message)
	})
	logger := logger.New()
	logger.With("a", 1).Warn("careful", slog.Group("g", "b", "x y"))
	logger.Debug("plain")
	if got := strings.Join(lines, "|"); got != `warn: careful a=1 g.b="x y"|debug: plain` {
		t.Error(got)
	}
}
