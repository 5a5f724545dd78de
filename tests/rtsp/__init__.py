"""Real and scripted RTSP servers for tests."""
