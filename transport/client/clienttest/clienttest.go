// Package clienttest has a network without a wire, on which a client and a server can meet in a
// bubble of testing/synctest: real sockets would keep its time from passing.
package clienttest

import (
	"context"
	"net"
)

// Network is the net.Listener of its one server. Connections are net.Pipes.
type Network struct {
	conns chan net.Conn
	stop  chan struct{} // closed by Close
}

// NewNetwork makes one. In a bubble it must be made there.
func NewNetwork() *Network {
	return &Network{conns: make(chan net.Conn), stop: make(chan struct{})}
}

// Accept implements net.Listener.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case c := <-n.conns:
		return c, nil
	case <-n.stop:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It must be called once.
func (n *Network) Close() error { close(n.stop); return nil }

// Addr implements net.Listener.
func (n *Network) Addr() net.Addr { return &net.TCPAddr{} }

// Dial connects to the server, whatever the address: a DialContext.
func (n *Network) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case n.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
