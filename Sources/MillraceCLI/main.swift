import Millrace

print(Millrace.version)
