package main

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// tunnel is a TCP proxy before a server, which is cut where a test wants it to be.
type tunnel struct {
	t      testing.TB
	l      net.Listener
	target string
	plan   func() cut // asked once for every connection
	work   sync.WaitGroup

	deaf atomic.Bool  // swallow whatever comes, from either side, and pass on nothing
	cuts atomic.Int64 // made

	mu    sync.Mutex
	links map[*link]bool
	last  *link
}

// cut is where a connection ends: before the first byte that would be one too many.
type cut struct {
	where way
	after int  // bytes that pass
	body  bool // counted from the end of the handshake, not from its beginning
	fin   bool // an orderly end; else a reset
}

// way is a direction.
type way int

const (
	uncut way = iota
	up        // from the client
	down      // to it
)

// link is one connection through the tunnel.
type link struct {
	tunnel         *tunnel
	client, server *net.TCPConn

	mu   sync.Mutex
	cut  cut
	head [3][]byte // by way: the handshake as far as it came; nil: it is over
}

// dig makes a tunnel to a server.
func dig(t testing.TB, target string, plan func() cut) *tunnel {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &tunnel{t: t, l: l, target: target, plan: plan, links: map[*link]bool{}}
	x.work.Go(x.accept) // ends when the listener is closed
	t.Cleanup(x.fill)
	return x
}

// fill ends the tunnel and whatever is in it.
func (x *tunnel) fill() {
	x.l.Close()
	x.mu.Lock()
	for k := range x.links {
		k.client.Close()
		k.server.Close()
	}
	x.mu.Unlock()
	x.work.Wait()
}

func (x *tunnel) addr() string { return x.l.Addr().String() }
func (x *tunnel) ws() string   { return "ws://" + x.addr() + "/ws" }

func (x *tunnel) accept() {
	for {
		client, err := x.l.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", x.target)
		if err != nil {
			x.t.Errorf("tunnel: %v", err)
			client.Close()
			continue
		}
		k := &link{tunnel: x, client: client.(*net.TCPConn), server: server.(*net.TCPConn), cut: x.plan()}
		k.head[up], k.head[down] = []byte{}, []byte{}
		x.mu.Lock()
		x.links[k], x.last = true, k
		x.mu.Unlock()
		x.work.Go(k.run) // ends with the connection
	}
}

// cutNext cuts the newest connection after so many bytes more of a direction.
func (x *tunnel) cutNext(where way, after int, fin bool) {
	x.mu.Lock()
	k := x.last
	x.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cut = cut{where: where, after: after, fin: fin}
}

func (k *link) run() {
	var both sync.WaitGroup
	both.Go(func() { k.pump(up, k.client, k.server) })
	both.Go(func() { k.pump(down, k.server, k.client) })
	both.Wait()
	k.client.Close()
	k.server.Close()
	k.tunnel.mu.Lock()
	delete(k.tunnel.links, k)
	k.tunnel.mu.Unlock()
}

// pump carries bytes one way until that way ends or the connection is cut.
func (k *link) pump(w way, from, to *net.TCPConn) {
	buf := make([]byte, 4<<10)
	for {
		n, err := from.Read(buf)
		switch {
		case k.tunnel.deaf.Load():
			if err != nil {
				return // the other side never hears of it
			}
			continue
		case n > 0 && !k.pass(w, buf[:n], to):
			return
		}
		if err != nil {
			to.CloseWrite() // an error means that it is closed already
			return
		}
	}
}

// pass carries what may pass; false: the connection was cut instead, or had ended.
func (k *link) pass(w way, b []byte, to *net.TCPConn) bool {
	k.mu.Lock()
	n := k.allow(w, b)
	fin := k.cut.fin
	k.mu.Unlock()
	if _, err := to.Write(b[:n]); err != nil {
		k.client.Close()
		k.server.Close()
		return false
	}
	if n == len(b) {
		return true
	}
	k.tunnel.cuts.Add(1)
	for _, c := range []*net.TCPConn{k.client, k.server} {
		if !fin {
			c.SetLinger(0)
		}
		c.Close()
	}
	return false
}

// allow says how much of b may pass. Held: mu.
func (k *link) allow(w way, b []byte) int {
	free := 0
	if k.head[w] != nil {
		was := len(k.head[w])
		k.head[w] = append(k.head[w], b...)
		free = len(b)
		if end := bytes.Index(k.head[w], []byte("\r\n\r\n")); end >= 0 {
			k.head[w] = nil
			free = end + 4 - was
		}
	}
	if k.cut.where != w {
		return len(b)
	}
	if !k.cut.body {
		free = 0
	}
	n := min(len(b), free+k.cut.after)
	k.cut.after -= n - free
	return n
}
