"""Side-by-side runs against other programs, each as a process of its own."""
