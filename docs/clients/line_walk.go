// The environment server of line_walk.cc in Go: proto/environment_service.proto on a page.
//
//	go build -o line_walk line_walk.go
//	environment { name: "external" settings { key: "server_program" value: "./line_walk" } }
package main

import (
	"bufio"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

const (
	walkers = 2
	places  = 10
	steps   = 20
	actions = 3
	hello   = `hello {"protocol_version": 1, "spec": {"groups": [{"name": "walkers", "agents": ["ann", "bob"], ` +
		`"observation_size": 2, "action_kind": "DISCRETE", "action_size": 3, ` +
		`"observed": [{"name": "place", "divided_by": 10}, {"name": "goal", "divided_by": 10}], ` +
		`"actions": [{"name": "left"}, {"name": "stay"}, {"name": "right"}]}], ` +
		`"state_includes_observations": true, "statistics": ["arrived"]}}` + "\n"
)

type walk struct {
	place, goal [walkers]int
	step        int
}

// SplitMix64: everything random follows from the seed.
func draw(state *uint64) uint64 {
	*state += 0x9E3779B97F4A7C15
	z := *state
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// array is the memory's array with this index in the table at its beginning, of count elements.
func array[T any](memory []byte, index, count int) []T {
	offset := *(*uint64)(unsafe.Pointer(&memory[8*index]))
	return unsafe.Slice((*T)(unsafe.Pointer(&memory[offset])), count)
}

func (w *walk) reset(seed uint64) {
	for a := range w.place {
		w.place[a] = int(draw(&seed) % places)
		w.goal[a] = int(draw(&seed) % places)
	}
	w.step = 0
}

func abs(x int) int {
	if x < 0 {
		return -x
	}
	return x
}

func flag(yes bool) uint8 {
	if yes {
		return 1
	}
	return 0
}

// moveAll does what the commands say.
func moveAll(memory []byte, walks []walk) {
	copies := len(walks)
	agents := copies * walkers
	commands, seeds := array[uint8](memory, 0, copies), array[uint64](memory, 1, copies)
	endings, arrived := array[uint8](memory, 2, copies), array[float64](memory, 3, copies)
	taken, rewards := array[int32](memory, 5, agents), array[float32](memory, 9, agents)
	seen, allowed := array[float32](memory, 6, agents*2), array[uint8](memory, 7, agents*actions)
	alive := array[uint8](memory, 8, agents)
	for c := range walks {
		w := &walks[c]
		switch commands[c] {
		case 0:
			continue
		case 1:
			w.reset(seeds[c])
		case 2:
			there := 0
			for a := range w.place {
				w.place[a] += int(taken[c*walkers+a]) - 1
				away := abs(w.place[a] - w.goal[a])
				rewards[c*walkers+a] = float32(-0.1 * float64(away))
				there += int(flag(away == 0))
			}
			w.step++
			endings[c] = flag(there == walkers)
			if there < walkers && w.step == steps {
				endings[c] = 2
			}
			arrived[c] = float64(there) / walkers
		}
		for a := range w.place {
			row := c*walkers + a
			seen[2*row], seen[2*row+1] = float32(w.place[a])/places, float32(w.goal[a])/places
			copy(allowed[row*actions:], []uint8{flag(w.place[a] > 0), 1, flag(w.place[a] < places-1)})
			alive[row] = 1
		}
	}
}

func number(variable string) int {
	value, err := strconv.Atoi(os.Getenv(variable))
	if err != nil {
		panic("a worker starts this program: " + err.Error())
	}
	return value
}

func main() {
	socket := os.NewFile(uintptr(number("TROUPE_SOCKET")), "worker")
	file := number("TROUPE_MEMORY")
	walks := make([]walk, number("TROUPE_COPIES"))
	var memory []byte
	socket.WriteString(hello)
	for lines := bufio.NewScanner(socket); lines.Scan(); { // the only line there is says "step"
		if memory == nil {
			var info syscall.Stat_t
			if err := syscall.Fstat(file, &info); err != nil {
				panic(err)
			}
			var err error
			memory, err = syscall.Mmap(file, 0, int(info.Size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
			if err != nil {
				panic(err)
			}
		}
		moveAll(memory, walks)
		socket.WriteString("done\n")
	}
}
