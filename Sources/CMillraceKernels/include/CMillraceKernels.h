#ifndef CMILLRACEKERNELS_H
#define CMILLRACEKERNELS_H

#include "rows.h"
#include "scaler.h"

#endif
