package main

func voiceNames() []string { return []string{"echo"} }
