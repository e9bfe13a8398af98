def training(d): return []
def initialisers(d): return []
def data(d): return []
def checkpoint(d): return []
