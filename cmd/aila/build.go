package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"aila/proto"
)

// build puts the house together. What an operator asks through the API arrives on asked.
func build(c config, log zerolog.Logger, asked chan<- struct{}) (*house, error) {
	return &house{gateway: &stub{}, server: &stubServer{&http.Server{}}}, nil
}

func (h *house) serve(l net.Listener) error { return h.server.Serve(l) }

type stub struct {
	proto.Opener
	proto.Operator
}

func (stub) Drain(context.Context, time.Duration) {}
func (stub) Stop()                                {}

type stubServer struct{ *http.Server }

func (s *stubServer) Handle(string, http.Handler) {}
func (s *stubServer) Drain()                      {}
